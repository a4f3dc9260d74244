"""How many directions do nets on MNIST need, whichever way these are drawn, and is FastJL unstable at large d?"""

import rmtlottery as rl

# Li et al. 2018: inputs from 0 to 1, he-normal, no validation part, batches of 128, Adam with beta2 .99, and 1e-4 times the
# square of the weights: a decay of 2e-4 here, where biases decay too. Their 100 epochs at 1e-3 are fewer at 1e-2 here.
SEEDS = (0, 1, 2)
ADAM = {"kind": "adam", "beta2": 0.99, "decay": 2e-4}
LI = {"optimiser": ADAM, "validation": 0, "scale": "range", "seeds": SEEDS}
FC = rl.preset("li_fc_mnist").but(**LI, chart="affine", lr=1e-2, epochs=30)
THEIRS = FC.but(lr=1e-3, epochs=100)
LENET = rl.preset("li_lenet_mnist").but(**LI, chart="affine", lr=1e-2, epochs=20)
SHORT = LENET.but(epochs=10)
EVERY = ("dense", "orthonormal", "sparse", "countsketch", "fastfood", "fastfood_block", "fastjl")

# Sizes about where accuracy passes 90 %, as `python -m rmtlottery.train dint` found them for Fastfood.
FCS = {f"fc {d}": FC.but(dim=d, name=f"fc-fastfood-dim={d}") for d in (100, 200, 400, 600, 750, 900)}
BY_LI = {f"fc {d} of 100 epochs": THEIRS.but(dim=d, name=f"fc-li-dim={d}") for d in (100, 200, 400)}
LENETS = {f"lenet {d}": LENET.but(dim=d, name=f"lenet-fastfood-dim={d}") for d in (100, 170, 230, 290, 400)}
PROJECTED = {
    f"lenet {kind} {d}": SHORT.but(projection=kind, dim=d, name=f"short-{kind}-dim={d}")
    for kind in EVERY
    for d in (230, 350)
}
AS_REPORTED = {  # its form of FastJL holds 242 numbers for each of 65,536 rows, so that its steps are slow: one seed
    f"lenet fastjl_gargiulo {d}": SHORT.but(
        projection="fastjl_gargiulo", dim=d, seeds=(0,), name=f"short-fastjl_gargiulo-dim={d}"
    )
    for d in (230, 350)
}
LARGE = {
    f"lenet {kind} {d}": SHORT.but(projection=kind, dim=d, seeds=(0,), name=f"short-{kind}-dim={d}")
    for kind in ("fastfood", "fastjl", "fastjl_gargiulo")
    for d in (1000, 4000, 16000)
}
WHOLE = {
    "fc whole": FC.but(chart="full", lr=1e-3, name="fc-whole"),
    "lenet whole": LENET.but(chart="full", lr=1e-3, name="lenet-whole"),
}

# CIFAR-10, one seed: as much as fits into an hour of one core.
CIFAR_LENET = rl.preset("li_lenet_cifar10").but(**LI, chart="affine", lr=1e-2, epochs=15).but(seeds=(0,))
CIFAR_FC = rl.preset("li_fc_cifar10").but(**LI, chart="affine", lr=1e-2, epochs=15).but(seeds=(0,))
CIFAR = {f"cifar lenet {d}": CIFAR_LENET.but(dim=d, name=f"cifar-lenet-dim={d}") for d in (600, 1000, 1700)} | {
    f"cifar fc {d}": CIFAR_FC.but(dim=d, name=f"cifar-fc-dim={d}") for d in (4000, 7000)
}

# The report's own conclusions: what d depends on, and small nets of as many weights, tuned.
SGD = {"kind": "sgd", "momentum": 0.9, "decay": 2e-4}
TRAINED = {
    "lr 0.001": {"lr": 1e-3},
    "lr 0.003": {"lr": 3e-3},
    "lr 0.03": {"lr": 3e-2},
    "cosine": {"schedule": {"kind": "cosine", "epochs": 10, "batch": 128}},
    "sgd 0.1": {"optimiser": SGD | {"lr": 0.1}},
    "sgd 1": {"optimiser": SGD | {"lr": 1.0}},
}
OTHERWISE = {
    f"lenet {how} {d}": SHORT.but(**changed, dim=d, seeds=(0,), name=f"lenet-{how.replace(' ', '-')}-dim={d}")
    for how, changed in TRAINED.items()
    for d in (230, 350)
}
FEW = {"kind": "conv", "phi": "relu", "padding": "none", "pools": "1,2", "readout": "mean", "widths": ()}
SMALL_NETS = {
    "306": {"channels": "2,4", "kernel": 5},
    "332": {"channels": "4,6", "kernel": 3},
}
SMALL = {
    f"{size} weights at {lr:g}": SHORT.but(
        chart="full",
        net=FEW | net,
        lr=lr,
        name=f"small-{size}-{lr:g}",
    )
    for size, net in SMALL_NETS.items()
    for lr in (3e-3, 1e-2, 3e-2)
}

RUNS = FCS | BY_LI | LENETS | PROJECTED | AS_REPORTED | LARGE | WHOLE | CIFAR | OTHERWISE | SMALL
FIGURES = {
    "dint-fc": ("dint", {}, [*FCS, "fc whole"]),
    "dint-fc-li": ("dint", {}, [*BY_LI]),
    "dint-lenet": ("dint", {}, [*LENETS, "lenet whole"]),
    # Nine tenths of what all weights reach at the rate of their own, which is another.
    "dint-fc-local": ("dint", {"threshold": 0.881}, [*FCS]),
    "dint-lenet-local": ("dint", {"threshold": 0.892}, [*LENETS]),
    "dint-projections": ("dint", {}, [*PROJECTED, *AS_REPORTED]),
    "dint-large": ("dint", {}, [*LARGE]),
    "dint-cifar": ("dint", {"threshold": 0.45}, [*CIFAR]),
    "dint-otherwise": ("dint", {}, [*OTHERWISE]),
    "accuracy-small": ("accuracy", {}, [*SMALL]),
}
