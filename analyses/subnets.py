"""How many nets fit into one vector of weights, each along random directions of its own, and does a burn-in make room?"""

import rmtlottery as rl

KNOWN = rl.Spec().but(
    net={"widths": (28,)},
    levels=0,
    schedule={"kind": "cosine", "epochs": 60, "batch": 100},
    lr=1e-2,
    validation=0,
    seeds=(0, 1, 2),
    record={"snapshots": (25, 100)},
    name="known",
)
NUMBER = 64
ALONG = {"chart": "affine", "dim": 64, "snapshots": (1, 5, 15, 50, 150, 450), "epochs": 30}
TASKS = {"one task": "nothing", "other pixels": "pixels", "other names": "classes"}
STARTS = {"from theta_0": "rewound", "from step 100": "after:100"}
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
