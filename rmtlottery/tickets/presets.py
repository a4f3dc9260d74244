"""Specs with a name, and the name of any other by what sets it apart from them."""

import hashlib
from collections.abc import Iterator
from typing import Any

from rmtlottery.refusal import unknown
from rmtlottery.tickets.fields import declared, shown
from rmtlottery.tickets.spec import GROUPS, Spec, part_from

SMALL = Spec().but(widths="8x100", lr=3e-3, epochs=30, batch=32, levels=17, seeds=(0, 1, 2, 3, 4))

PRESETS = {
    "digits": ("An 8-layer tanh net at the edge of chaos on the bundled digits; minutes.", SMALL),
    "teacher": ("The same net on a synthetic teacher; minutes.", SMALL.but(data="teacher")),
    "first": (
        "A first run, over in seconds: three layers, six cuts, two seeds.",
        Spec().but(widths="64,48,32", epochs=8, batch=64, levels=6, seeds=(0, 1)),
    ),
}


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
