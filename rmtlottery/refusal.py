"""The one way to say no: a sentence that says what, with which values, and what next."""

from collections.abc import Iterable
from difflib import get_close_matches


class Refusal(ValueError):
    """Something the user asked for cannot be done; the message is one sentence, fit to be shown alone."""


def unknown(what: str, name: str, known: Iterable[str]) -> Refusal:
    """The refusal of a name nobody knows, with the nearest one that is known."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names) or 'nothing: none is there'}"
    return Refusal(f"unknown {what} {name!r}: {hint}")
