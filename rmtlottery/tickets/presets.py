"""Specs with a name, and the name of any other by what sets it apart from them."""

import hashlib
from collections.abc import Iterator
from typing import Any

from rmtlottery.refusal import unknown
from rmtlottery.tickets.fields import declared, shown
from rmtlottery.tickets.settings import PRESETS
from rmtlottery.tickets.spec import GROUPS, Spec, part_from


def preset(name: str) -> Spec:
    """The Spec of that name."""
    if not isinstance(name, str) or name not in PRESETS:
        raise unknown("preset", str(name), PRESETS)
    return PRESETS[name][1].but(preset=name)


def presets() -> dict[str, str]:
    """name -> what it is for."""
    return {name: words for name, (words, _) in PRESETS.items()}


def label(spec: Spec) -> str:
    """The run's folder: the spec's own name, or its preset and the fields that differ from it."""
    apart = (f"{field}={shown(value)}" for field, value in changed(spec))
    return spec.name or short("-".join([spec.preset or "run", *apart]))


def short(name: str, most: int = 120) -> str:
    """A name that fits into a folder's: a long one ends in a hash of itself."""
    if len(name) <= most:
        return name
    return f"{name[: most - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def changed(spec: Spec) -> Iterator[tuple[str, Any]]:
    """The fields, by command-line name, in which a spec differs from its preset (a plain Spec if it has none)."""
    base = preset(spec.preset) if spec.preset else Spec()
    for group in GROUPS:
        ours, theirs = getattr(spec, group), getattr(base, group)
        if ours.kind != theirs.kind:
            yield group, ours.kind
            theirs = part_from(group, ours.kind, theirs)
        yield from ((n, getattr(ours, n)) for n in declared(type(ours)) if getattr(ours, n) != getattr(theirs, n))
