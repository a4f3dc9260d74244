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
    f"mnist {d}": MNIST.but(loss="squared", chart="affine", dim=d, name=f"mnist-dim={d}")
    for d in (16, 32, 64, 128, 256, 512, 1024, 2048)
}
WHOLE = {
    "digits whole": SQUARED.but(name="squared-whole"),
    "digits by entropy whole": DIGITS.but(name="entropy-whole"),
    "mnist whole": MNIST.but(loss="squared", name="mnist-whole"),
}

RUNS = GRID | ENTROPY | OTHERS | ON_MNIST | WHOLE
FIGURES = {
    "transition": ("transition", {"samples": 0, "probes": 6, "steps": 80}, [*GRID, *OTHERS, "digits whole"]),
    "transition-entropy": ("transition", {"samples": 0, "probes": 6, "steps": 80}, [*ENTROPY, "digits by entropy whole"]),
    "transition-mnist": ("transition", {"samples": 3000, "steps": 50}, [*ON_MNIST, "mnist whole"]),
    "linearised": ("linearised", {"samples": 0, "most": 1024, "projections": "dense,sparse,fastfood"}, ["digits whole"]),
    "linearised-mnist": ("linearised", {"samples": 600, "most": 600}, ["mnist whole"]),
    "hessian": ("hessian", {}, ["digits whole", "digits by entropy whole"]),
}
