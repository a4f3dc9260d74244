"""How many directions do nets on MNIST need, whichever way these are drawn, and is FastJL unstable at large d?"""

import rmtlottery as rl

# Li et al. 2018: Adam at 1e-3 with beta2 .99, batches of 128, he-normal, no validation part, and 1e-4 times the square of
# the weights, which is a decay of 2e-4 here, where biases decay too. 100 epochs at 1e-3 are theirs, fewer at 1e-2 a CPU's.
SEEDS = (0, 1, 2)
LI = {"optimiser": {"kind": "adam", "beta2": 0.99, "decay": 2e-4}, "validation": 0, "scale": "range", "seeds": SEEDS}
FC = rl.preset("li_fc_mnist").but(**LI, chart="affine", lr=1e-2, epochs=30)
LENET = rl.preset("li_lenet_mnist").but(**LI, chart="affine", lr=1e-2, epochs=10)
EVERY = ("dense", "orthonormal", "sparse", "countsketch", "fastfood", "fastfood_block", "fastjl", "fastjl_gargiulo")

# Sizes about where accuracy passes 90 %, as `python -m rmtlottery.train dint` found them for Fastfood.
FC_SIZES = (100, 200, 400, 600, 800, 1100)
LENET_SIZES = (75, 150, 225, 300, 450)
LARGE = (1000, 4000, 16000)

FCS = {f"fc {d}": FC.but(dim=d, name=f"fc-fastfood-{d}") for d in FC_SIZES}
LENETS = {
    f"lenet {kind} {d}": LENET.but(projection=kind, dim=d, name=f"lenet-{kind}-{d}") for kind in EVERY for d in LENET_SIZES
}
MORE = {
    f"lenet {kind} {d}": LENET.but(projection=kind, dim=d, name=f"lenet-{kind}-{d}")
    for kind in ("fastfood", "fastjl", "fastjl_gargiulo")
    for d in LARGE
}
WHOLE = {
    "fc whole": FC.but(chart="full", name="fc-whole"),
    "lenet whole": LENET.but(chart="full", name="lenet-whole"),
}

RUNS = FCS | LENETS | MORE | WHOLE
FIGURES = {
    "dint-fc": ("dint", {}, [*FCS, "fc whole"]),
    "dint-lenet": ("dint", {}, [*LENETS, "lenet whole"]),
    "large": ("dint", {}, [*MORE, "lenet whole"]),
}
