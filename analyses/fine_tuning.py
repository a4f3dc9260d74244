"""How many directions does a transformer need to learn a task: from random weights, or from those that know another?"""

import rmtlottery as rl

# Pairs of a key and a value are shown, then a key; one task asks for its value, the other for another name of it.
KNOWN = rl.Spec().but(
    net="transformer", data="recall", init="own", levels=0, validation=0, lr=3e-3, epochs=5, seeds=(0, 1, 2), name="known"
)
OTHER = {"renaming": 1, "lr": 1e-2, "epochs": 15}
SIZES = (20, 40, 60, 120, 180, 250, 350, 500)
CHARTS = ("affine", "said")

SCRATCH = {
    f"scratch {chart} {d}": KNOWN.but(chart=chart, dim=d, **OTHER, name=f"scratch-{chart}-{d}")
    for chart in CHARTS
    for d in SIZES
}
TUNED = {
    f"tuned {chart} {d}": ("known", OTHER | {"control": "trained", "chart": chart, "dim": d})
    for chart in CHARTS
    for d in SIZES
}
WHOLE = {
    "scratch whole": KNOWN.but(**OTHER, name="scratch-whole"),
    "tuned whole": ("known", OTHER | {"control": "trained"}),
}

RUNS = {"known": KNOWN} | SCRATCH | TUNED | WHOLE
FIGURES = {"dint": ("dint", {}, [*SCRATCH, *TUNED, *WHOLE])}
