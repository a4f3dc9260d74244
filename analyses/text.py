"""How many directions does a small transformer need to predict text, and how does that number grow with its width?"""

import rmtlottery as rl

# Four characters of a licence are shown, and the next is asked for; a sample begins at every second character.
TEXT = rl.Spec().but(
    net="transformer",
    data={"kind": "text", "places": 4, "every": 2, "validation": 0},
    init="own",
    levels=0,
    schedule={"kind": "cosine", "epochs": 20},
    lr=2e-2,
    seeds=(0, 1, 2),
)
SIZES = {
    8: (320, 450, 640, 900, 1280, 1760),  # of 1,778 weights
    16: (320, 450, 640, 900, 1280, 1800, 2560, 3600, 5000),  # of 5,042
    32: (320, 450, 640, 900, 1280, 1800, 2560, 3600, 5100, 7200),  # of 16,178
    64: (320, 450, 640, 900),  # of 56,882
}

FEW = {
    f"{units} units {d}": TEXT.but(units=units, chart="affine", dim=d, name=f"text-{units}-dim={d}")
    for units, sizes in SIZES.items()
    for d in sizes
}
WHOLE = {f"{units} units whole": TEXT.but(units=units, name=f"text-{units}-whole") for units in SIZES}

RUNS = FEW | WHOLE
# A share of what each net reaches whole, which is more for a wider one; and one accuracy for all widths.
FIGURES = {
    "dint": ("dint", {"local": True, "threshold": 0.9}, [*RUNS]),
    "dint-same": ("dint", {"threshold": 0.35}, [*RUNS]),
}
