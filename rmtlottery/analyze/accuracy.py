"""How accurate is the trained ticket as its density falls?

Accuracies are those of the last epoch, never of the best test epoch. The training one is the mean over that epoch's
steps, the others are taken after the last step.
"""

from typing import TYPE_CHECKING

from rmtlottery.analyze._style import density_axis, interval
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def table(ticket: Ticket) -> "pd.DataFrame":
    """Columns: split, accuracy, loss, epoch."""
    import pandas as pd

    last = ticket.metrics[-1]
    splits = [name.removesuffix("_accuracy") for name in last if name.endswith("_accuracy")]
    scores = [{"split": s, "accuracy": last[f"{s}_accuracy"], "loss": last[f"{s}_loss"]} for s in splits]
    return pd.DataFrame(scores).assign(epoch=last["epoch"], source="measured")


def plot(table: "pd.DataFrame") -> "Figure":
    """Mean over seeds at each level with its 95 % t-interval, one panel a run."""
    import seaborn as sns

    rows = table.assign(density=table.groupby(["run", "level"])["density"].transform("mean"))
    look = {"hue": "split", "hue_order": sorted(rows["split"].unique()), "marker": "o", "errorbar": interval}
    grid = sns.relplot(rows, x="density", y="accuracy", col="run", kind="line", height=4.2, aspect=1.5, **look)
    for axes in grid.axes.flat:
        density_axis(axes)
        axes.grid(alpha=0.3)
    seeds = table["seed"].nunique()
    grid.set_ylabels(f"accuracy after the last epoch (mean of {seeds} seed{'s' * (seeds > 1)}, 95 % interval)")
    return grid.figure


def headline(table: "pd.DataFrame") -> str:
    """Test accuracy of the dense net, of the level that validation would choose, and of the last level."""
    scores = table.pivot_table("accuracy", ["run", "level"], "split")
    found = []
    for run, levels in scores.groupby(level="run"):
        chosen = levels["validation" if "validation" in levels else "train"].idxmax()[1]
        places = {"dense": 0, "chosen on validation": chosen, "sparsest": levels.index[-1][1]}
        found.append(f"{run}: test accuracy " + ", ".join(words(table, run, *place) for place in places.items()))
    return "; ".join(found) + f" (mean and 95 % interval over seeds {sorted(table['seed'].unique().tolist())})."


def words(table: "pd.DataFrame", run: object, name: str, level: int) -> str:
    rows = table.query("run == @run and level == @level and split == 'test'")
    low, high = interval(rows["accuracy"])
    return f"{name} {rows['accuracy'].mean():.1%} [{low:.1%}, {high:.1%}] at density {rows['density'].mean():.1%}"
