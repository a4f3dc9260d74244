"""Does the number of directions that training needs follow the net's width, its depth, the order of pixels, the labels?"""

import rmtlottery as rl

ADAM = {"kind": "adam", "beta2": 0.99, "decay": 2e-4}
FC = rl.preset("li_fc_mnist").but(
    optimiser=ADAM, validation=0, scale="range", chart="affine", lr=1e-2, epochs=15, seeds=(0,)
)
LENET = rl.preset("li_lenet_mnist").but(
    optimiser=ADAM, validation=0, scale="range", chart="affine", lr=1e-2, epochs=15, seeds=(0,), shuffled="pixels"
)

NETS = {
    f"fc {widths} {d}": FC.but(widths=widths, dim=d, name=f"fc-{widths}-dim={d}")
    for widths in ("1x200", "2x200", "3x200", "2x100", "2x400")
    for d in (600, 900)
}
PIXELS = {f"fc pixels {d}": FC.but(shuffled="pixels", dim=d, name=f"fc-pixels-dim={d}") for d in (600, 900)} | {
    f"lenet pixels {d}": LENET.but(dim=d, name=f"lenet-pixels-dim={d}") for d in (700, 1000, 1400)
}
LABELS = {f"fc labels {d}": FC.but(shuffled="labels", dim=d, name=f"fc-labels-dim={d}") for d in (1000, 4000, 16000)} | {
    "fc labels whole": FC.but(shuffled="labels", chart="full", lr=1e-3, name="fc-labels-whole")
}

RUNS = NETS | PIXELS | LABELS
FIGURES = {
    "dint-nets": ("dint", {}, [*NETS]),
    "dint-pixels": ("dint", {}, [*PIXELS]),
    "dint-labels": ("dint", {"split": "train", "threshold": 0.15}, [*LABELS]),
}
