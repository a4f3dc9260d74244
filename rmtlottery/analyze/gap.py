"""Does pruning close the gap between training and test accuracy?

Accuracies are those of the final weights on each whole split, the training part too: they are not the running mean over the
last epoch that `accuracy` shows for it. `state` is trained, or rewound (its start under its mask) for a ticket that was not
trained.
"""

from typing import TYPE_CHECKING

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    legend_beside,
    mean_density,
    mean_words,
    over_seeds,
    seeds_words,
    share_interval,
)
from rmtlottery.measure.accuracy import accuracies
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
SPLITS = ("train", "validation", "test")


def table(ticket: Ticket) -> "pd.DataFrame":
    """Columns: state, split, accuracy, source."""
    import pandas as pd

    found = pd.DataFrame({"split": split, "accuracy": value} for split, value in accuracies(ticket).items())
    found.insert(0, "state", "trained" if ticket.metrics else "rewound")
    return found.assign(source="measured")


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: accuracy of each split against density. Right: training less test accuracy, seed by seed."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    panels = list(rows.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(panels), 2, figsize=(13, 4.2 * len(panels)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(panels, axes, strict=True):
        draw_splits(part, left)
        left.set(title=f"{run}\n{state} weights on whole splits", ylabel="accuracy")
        draw_gap(part, right)
        right.set(title=f"{run}\ntraining less test", ylabel="gap, percentage points")
    return figure


def draw_splits(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    order = [split for split in SPLITS if split in set(part["split"])]
    look = {"hue": "split", "hue_order": order, "style": "split", "style_order": order, "markers": True, "dashes": False}
    sns.lineplot(part, x="density", y="accuracy", errorbar=share_interval, ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(part["seed"].nunique()))


def draw_gap(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    points = gaps(part).mul(100).rename("gap").reset_index()
    sns.lineplot(points, x="density", y="gap", errorbar=interval, marker="o", color="black", ax=axes)
    axes.axhline(0, color="grey", linewidth=1)
    density_axis(axes)
    axes.grid(alpha=0.3)


def gaps(part: "pd.DataFrame") -> "pd.Series":
    """Training less test accuracy of each seed at each level."""
    splits = part.pivot_table("accuracy", ["level", "density", "seed"], "split")
    return splits["train"] - splits["test"]


def headline(table: "pd.DataFrame") -> str:
    """The gap of the densest level, of the level that validation would choose, and of the last level."""
    found = "; ".join(f"{run}: {summary(part)}" for (run, _), part in table.groupby(["run", "state"]))
    return f"{found} ({over_seeds(table)})."


def summary(part: "pd.DataFrame") -> str:
    scores, gap = part.pivot_table("accuracy", "level", "split"), gaps(part)
    places = {"densest": scores.index[0]}
    if "validation" in scores:
        places["chosen on validation"] = scores["validation"].idxmax()
    places["sparsest"] = scores.index[-1]
    return "training less test accuracy is " + ", ".join(words(gap.loc[level], name) for name, level in places.items())


def words(gap: "pd.Series", name: str) -> str:
    density = gap.index.get_level_values("density").to_numpy().mean()
    return f"{mean_words(100 * gap, '.1f')} points {name} (density {density:.1%})"
