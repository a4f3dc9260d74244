"""How many directions reach a loss, and does the curvature at the solution say so: on digits and on MNIST?"""

import rmtlottery as rl

# The squared distance to the right class, whose linearised net is a quadratic well exactly; and what is usually trained.
SEEDS = (0, 1, 2, 3, 4, 5)
SCHEDULE = {"kind": "cosine", "epochs": 60, "batch": 100}
DIGITS = rl.Spec().but(net={"widths": (28,)}, levels=0, schedule=SCHEDULE, lr=1e-2, validation=0, seeds=SEEDS)
SQUARED = DIGITS.but(loss="squared")
MNIST = rl.Spec().but(
    net={"widths": (32,)}, data="mnist", levels=0, schedule=SCHEDULE | {"epochs": 12}, lr=1e-2, validation=0, seeds=(0, 1, 2)
)
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)

RANDOM = {"chart": "affine", "projection": "dense"}
GRID = {f"digits {d}": SQUARED.but(**RANDOM, dim=d, name=f"squared-dim={d}") for d in SIZES}
ENTROPY = {f"digits by entropy {d}": DIGITS.but(**RANDOM, dim=d, name=f"entropy-dim={d}") for d in SIZES}
OTHERS = {
    f"digits {kind} {d}": SQUARED.but(chart="affine", projection=kind, dim=d, name=f"squared-{kind}-dim={d}")
    for kind in ("fastfood", "sparse")
    for d in SIZES
}
ON_MNIST = {
    f"mnist {d}": MNIST.but(loss="squared", chart="affine", dim=d, projection="dense", name=f"mnist-dim={d}")
    for d in (16, 32, 64, 128, 256, 512, 1024, 2048)
}
LARGE = {
    f"mnist fastfood {d}": MNIST.but(
        loss="squared", chart="affine", dim=d, projection="fastfood", name=f"mnist-fastfood-dim={d}"
    )
    for d in (2048, 4096, 8192)
}
POINTS = (25, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900)  # steps whose weights are kept, of 900 and of 7200
ON_THE_WAY = {"snapshots": POINTS}
WHOLE = {
    "digits whole": SQUARED.but(name="squared-whole", record=ON_THE_WAY),
    "digits by entropy whole": DIGITS.but(name="entropy-whole"),
    "mnist whole": MNIST.but(
        loss="squared", lr=1e-3, name="mnist-whole", record={"snapshots": (*POINTS, *range(1200, 7201, 600))}
    ),
}

# From weights that a few steps have trained, and along the principal directions of all of them: a step goes farther there.
LOTTERY = {"chart": "principal", "snapshots": (), "lr": 2e-2}
BURNT_IN = {
    f"{data} {d} after {step}": (
        f"{data} whole",
        RANDOM | {"control": f"after:{step}", "dim": d, "snapshots": (), "lr": 1e-2},
    )
    for data in ("digits", "mnist")
    for step in (25, 100)
    for d in (8, 16, 32, 64, 128, 256, 512, 1024)
}
BURNT_WHOLE = {
    f"{data} whole after {step}": (f"{data} whole", {"control": f"after:{step}", "snapshots": ()})
    for data in ("digits", "mnist")
    for step in (25, 100)
}
PRINCIPAL = {
    f"{data} {d} principal": (f"{data} whole", LOTTERY | {"control": "rewound", "dim": d})
    for data in ("digits", "mnist")
    for d in (1, 2, 4, 8)
}
BOTH = {
    f"{data} {d} principal after 100": (f"{data} whole", LOTTERY | {"control": "after:100", "dim": d})
    for data in ("digits", "mnist")
    for d in (1, 2, 4, 8)
}
GUIDED = BURNT_IN | BURNT_WHOLE | PRINCIPAL | BOTH

# Along the axes: iterated masks, rewound to the start or to a later step, and random ones of the same densities.
PRUNED = {
    "mnist pruned": MNIST.but(loss="squared", lr=1e-3, levels=8, rate=0.5, name="mnist-pruned"),
    "mnist pruned late": MNIST.but(loss="squared", lr=1e-3, levels=8, rate=0.5, rewind=100, name="mnist-pruned-late"),
    "mnist random masks late": ("mnist pruned late", {"control": "random_mask", "at": (1, 2, 3, 4, 5, 6, 7, 8)}),
    "mnist random masks": ("mnist pruned", {"control": "random_mask", "at": (1, 2, 3, 4, 5, 6, 7, 8)}),
}

RUNS = GRID | ENTROPY | OTHERS | ON_MNIST | LARGE | WHOLE | GUIDED | PRUNED
FIGURES = {
    "transition": ("transition", {"samples": 0, "steps": 60}, [*GRID, *OTHERS, "digits whole"]),
    "transition-entropy": ("transition", {"samples": 0, "steps": 60}, [*ENTROPY, "digits by entropy whole"]),
    "transition-mnist": ("transition", {"samples": 3000, "steps": 50}, [*ON_MNIST, "mnist whole"]),
    "transition-lottery": (
        "transition",
        {"loss": 0.2, "samples": 3000, "steps": 50},
        [*ON_MNIST, "mnist whole", *(name for name in GUIDED if name[0] == "m")],
    ),
    "transition-lottery-digits": (
        "transition",
        {"loss": 0.12, "samples": 0, "steps": 60},
        [*GRID, "digits whole", *(name for name in GUIDED if name[0] == "d")],
    ),
    "compression": (
        "compression",
        {},
        [
            name
            for name in (*ON_MNIST, *LARGE, *BURNT_IN, *PRINCIPAL, *BOTH, *PRUNED, "mnist whole")
            if name[0] == "m" and "after 25" not in name
        ],
    ),
    "linearised": ("linearised", {"most": 512, "draws": 2, "projections": "dense,sparse,fastfood"}, ["digits whole"]),
    "linearised-mnist": ("linearised", {"samples": 600, "most": 600}, ["mnist whole"]),
    "hessian": ("hessian", {}, ["digits whole", "digits by entropy whole"]),
}
