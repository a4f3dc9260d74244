"""How many directions does training need from where it starts: after a burn-in, on the way to a solution, beside it?"""

import rmtlottery as rl

POINTS = (25, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900)  # steps whose weights are kept, of 900
WHOLE = rl.Spec().but(
    net={"widths": (28,)},
    levels=0,
    schedule={"kind": "cosine", "epochs": 60, "batch": 100},
    loss="squared",
    lr=1e-2,
    validation=0,
    seeds=(0, 1, 2, 3, 4, 5),
    record={"snapshots": POINTS},
    name="squared-whole",
)
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
STARTS = {
    "theta_0": "rewound",
    "step 25": "after:25",
    "step 100": "after:100",
    "farther": "toward:-0.5",
    "a quarter of the way": "toward:0.25",
    "half way": "toward:0.5",
    "three quarters": "toward:0.75",
    "half as far beside": "around:0.5",
    "as far beside": "around:1",
    "farther beside": "around:1.5",
}
NEAR = {f"{name}: whole": ("whole", {"control": control, "snapshots": (), "lr": 1e-3}) for name, control in STARTS.items()}
FAR = {f"{name}: whole by large steps": ("whole", {"control": control, "snapshots": ()}) for name, control in STARTS.items()}
ALONG = {
    f"{name}: {d}": (
        "whole",
        {"control": control, "chart": "affine", "projection": "dense", "dim": d, "snapshots": (), "lr": 1e-2},
    )
    for name, control in STARTS.items()
    for d in SIZES
}

# The same on MNIST, in fewer sizes and from fewer starts; and three times as long.
ON_MNIST = WHOLE.but(
    net={"widths": (32,)},
    data={"kind": "mnist", "validation": 0},
    epochs=12,
    lr=1e-3,
    seeds=(0, 1, 2),
    record={"snapshots": (*POINTS, *range(1200, 7201, 600))},
    name="mnist-whole",
)
MNIST_SIZES = (32, 64, 128, 256, 512, 1024)
MNIST_STARTS = ("theta_0", "a quarter of the way", "half way", "as far beside")
MNIST_FROM = {f"mnist {name}: whole": ("mnist whole", {"control": STARTS[name], "snapshots": ()}) for name in MNIST_STARTS}
MNIST_ALONG = {
    f"mnist {name}: {d}": (
        "mnist whole",
        {"control": STARTS[name], "chart": "affine", "projection": "dense", "dim": d, "snapshots": (), "lr": 1e-2},
    )
    for name in MNIST_STARTS
    for d in MNIST_SIZES
}
LONGER = {
    f"mnist longer: {d}": (
        "mnist whole",
        {
            "control": "rewound",
            "chart": "affine",
            "projection": "dense",
            "dim": d,
            "snapshots": (),
            "lr": 1e-2,
            "epochs": 36,
        },
    )
    for d in (128, 256, 512)
}

RUNS = {"whole": WHOLE} | NEAR | FAR | ALONG | {"mnist whole": ON_MNIST} | MNIST_FROM | MNIST_ALONG | LONGER
FIGURES = {
    "distance": ("distance", {"samples": 0, "steps": 60, "loss": 0.5}, [*NEAR, *ALONG]),
    "distance-low": ("distance", {"samples": 0, "steps": 60, "loss": 0.2}, [*FAR, *ALONG]),
    "distance-mnist": ("distance", {"samples": 3000, "steps": 50}, [*MNIST_FROM, *MNIST_ALONG]),
    "transition-longer": ("transition", {"loss": 0.45}, [*LONGER, *(name for name in MNIST_ALONG if "theta_0" in name)]),
}
