"""Specs with a name. A preset's first line says what it is for."""

from rmtlottery.refusal import unknown
from rmtlottery.tickets.spec import Spec

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
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name][1].but(preset=name)


def presets() -> dict[str, str]:
    """name -> what it is for."""
    return {name: words for name, (words, _) in PRESETS.items()}
