"""How many nets fit into one vector of weights, each along random directions of its own, and does a burn-in make room?"""

import rmtlottery as rl

KNOWN = rl.Spec().but(
    net={"widths": (100,)},
    levels=0,
    schedule={"kind": "cosine", "epochs": 60, "batch": 100},
    lr=1e-2,
    validation=0,
    seeds=(0, 1, 2),
    record={"snapshots": (10,)},
    name="known-100",
)
NUMBER = 96  # of 7,510 weights and biases: 128 directions of each are all of them from the 59th on
ALONG = {"chart": "affine", "dim": 128, "snapshots": (1, 5, 15, 50, 150, 450), "lr": 3e-2}
TASKS = {"one task": "nothing", "other pixels": "pixels", "other names": "classes"}
STARTS = {"from theta_0": "rewound", "from step 10": "after:10"}
KINDS = {"dense": ("dense", [*TASKS], [*STARTS]), "axes": ("axes", ["other pixels"], ["from theta_0"])}

SUBNETS = {
    f"{kind} {task} {start} {k}": (
        "known",
        ALONG
        | {"control": STARTS[start], "projection": projection, "draw": k}
        | {"shuffled": TASKS[task], "shuffling": k if TASKS[task] != "nothing" else 0},
    )
    for kind, (projection, tasks, starts) in KINDS.items()
    for task in tasks
    for start in starts
    for k in range(NUMBER)
}

RUNS = {"known": KNOWN} | SUBNETS
FIGURES = {"subnets": ("subnets", {}, [*SUBNETS]), "angles": ("angles", {}, [*SUBNETS])}
