"""Do tickets train faster: after how many steps is an accuracy reached?

`step` is the first recorded step at which the accuracy is at least `target`; it counts from theta_0, so that a rewound
ticket begins at its rewind step. Accuracies are recorded at the end of epochs only: steps are multiples of an epoch, too
late by up to one, and what is reached within the first epoch cannot be told apart. The accuracy is that of the validation
part, of the test part where none is held out. Option `target`: the accuracy asked for, between 0 and 1; 0 asks for every
multiple of 5 % from 5 % to 95 %.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    legend_beside,
    mean_density,
    mean_words,
    over_seeds,
    percent,
    seeds_words,
    spread,
)
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "what training recorded"
FLOAT32 = 1e-6  # accuracies are float32: 0.95 is recorded as 0.949999988
TARGETS_SHOWN = 4


def table(ticket: Ticket, *, target: float = 0.0) -> "pd.DataFrame":
    """Columns: target, reached, step, epoch, split, source. step and epoch are NaN where it is not reached."""
    import pandas as pd

    if not 0 <= target <= 1:
        raise Refusal(f"target = {target:g} is no accuracy between 0 and 1")
    if not ticket.metrics:
        raise Refusal(f"{ticket} was not trained, and reaches no accuracy in training; train it first")
    split = "validation" if "validation_accuracy" in ticket.metrics[0] else "test"
    asked = [target] if target else [percent / 100 for percent in range(5, 100, 5)]
    rows = [{"target": goal} | first_time(ticket.metrics, f"{split}_accuracy", goal) for goal in asked]
    return pd.DataFrame(rows).assign(split=split, source="measured")


def first_time(metrics: list[dict[str, Any]], column: str, target: float) -> dict[str, Any]:
    for row in metrics:
        if row[column] >= target - FLOAT32:
            return {"reached": True, "step": float(row["step"]), "epoch": float(row["epoch"])}
    return {"reached": False, "step": np.nan, "epoch": np.nan}


def plot(table: "pd.DataFrame") -> "Figure":
    """Above: steps of the seeds that get there. Below: how many do."""
    import matplotlib.pyplot as plt

    runs = list(mean_density(table).groupby("run"))
    heights = [3, 1] * len(runs)
    size = (9, 5.6 * len(runs))
    figure, axes = plt.subplots(len(heights), 1, figsize=size, height_ratios=heights, squeeze=False, layout="constrained")
    for place, (run, part) in enumerate(runs):
        above, below = axes[2 * place : 2 * place + 2, 0]
        shown = part[part["target"].isin(targets(part))]
        draw(shown, above, below)
        above.set(title=str(run), ylabel="steps from theta_0, in whole epochs")
        if shown["reached"].any():
            above.set_ylim(0, 1.2 * shown["step"].max())
        below.set(ylabel="share of\nseeds there", ylim=(-0.05, 1.05))
        legend_beside(above, f"{part['split'].iloc[0]} accuracy,\n{seeds_words(part['seed'].nunique())}")
    return figure


def targets(part: "pd.DataFrame") -> list[float]:
    """Some of what every dense seed reaches, but for what they all reach in the first epoch, which tells nothing.

    Where that leaves nothing: the highest that they reach, that anyone reaches, or that is asked.
    """
    dense = part[part["level"] == part["level"].min()]
    later = dense.groupby("target")["epoch"].max()
    found = reached_dense(part)
    told = [target for target in found if later[target] > part["epoch"].min()]
    reached = sorted(part.loc[part["reached"], "target"].unique())
    return spread(told or (found or reached or sorted(part["target"].unique()))[-1:], TARGETS_SHOWN)


def reached_dense(part: "pd.DataFrame") -> list[float]:
    """The targets that every seed of the densest level reaches, the lowest first."""
    reached = part[part["level"] == part["level"].min()].groupby("target")["reached"].all()
    return sorted(reached.index[reached])


def draw(shown: "pd.DataFrame", above: "Axes", below: "Axes") -> None:
    import seaborn as sns

    words = shown["target"].map(percent)
    named = shown.assign(target=words, share=shown["reached"].astype(float))
    order = list(words[shown["target"].sort_values().index].unique())
    look = {"hue": "target", "hue_order": order, "style": "target", "style_order": order, "markers": True, "dashes": False}
    sns.lineplot(named.dropna(subset=["step"]), x="density", y="step", errorbar=interval, err_style="bars", ax=above, **look)
    sns.lineplot(named, x="density", y="share", errorbar=None, legend=False, ax=below, **look)
    for axes in (above, below):
        density_axis(axes)
        axes.set_xlim(shown["density"].max() * 1.1, shown["density"].min() / 1.1)
        axes.grid(alpha=0.3)


def headline(table: "pd.DataFrame") -> str:
    """Steps to the highest target that all dense seeds reach: dense, and where they are fewest."""
    found = "; ".join(f"{run}: {summary(part)}" for run, part in table.groupby("run"))
    return f"{found} (steps are whole epochs; {over_seeds(table)})."


def summary(part: "pd.DataFrame") -> str:
    """The fastest level is one that every seed finishes; it is chosen for being so, and flatters."""
    dense = reached_dense(part)
    if not dense:
        return "the densest level reaches no target with every seed"
    rows = part[part["target"] == dense[-1]]
    levels = rows.groupby("level")["reached"].all()
    steps = rows[rows["level"].isin(levels.index[levels])].groupby("level")["step"].mean()
    first, fastest = words(rows, steps.index[0]), words(rows, steps.idxmin())
    goal = f"{percent(dense[-1])} {rows['split'].iloc[0]} accuracy"
    return f"{goal} takes {first} densest and {fastest} in the fastest of {len(levels)} levels"


def words(rows: "pd.DataFrame", level: int) -> str:
    here = rows[rows["level"] == level]
    return f"{mean_words(here['step'], '.0f', positive_interval)} steps (density {here['density'].mean():.1%})"


def positive_interval(steps: "pd.Series") -> tuple[float, float]:
    low, high = interval(steps)
    return max(low, 0.0), high
