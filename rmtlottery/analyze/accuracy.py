"""How accurate is the trained ticket as its density falls?

Accuracies are those of the last epoch or, with option `stopped`, of the one that is best on validation; never of the best
test epoch. The training one is the mean over that epoch's steps, the others are taken after its last step.
"""

from typing import TYPE_CHECKING

from rmtlottery.analyze._stopping import LAST, STOPPED, taken
from rmtlottery.analyze._style import (
    density_axis,
    legend_beside,
    mean_density,
    mean_words,
    over_seeds,
    seeds_words,
    share_interval,
)
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "what training recorded"


def table(ticket: Ticket, *, stopped: bool = False) -> "pd.DataFrame":
    """Columns: split, accuracy, loss, epoch, when."""
    import pandas as pd

    if not ticket.metrics:
        raise Refusal(f"{ticket} is a control that was not trained: train it with rl.fit(spec, start=...), or ask gap")
    last = taken(ticket, stopped)
    splits = [name.removesuffix("_accuracy") for name in last if name.endswith("_accuracy")]
    scores = [{"split": s, "accuracy": last[f"{s}_accuracy"], "loss": last[f"{s}_loss"]} for s in splits]
    return pd.DataFrame(scores).assign(epoch=last["epoch"], when=STOPPED if stopped else LAST, source="measured")


def plot(table: "pd.DataFrame") -> "Figure":
    """Mean over seeds at each level with its 95 % t-interval, one panel a run, and one over several runs."""
    import matplotlib.pyplot as plt

    rows = mean_density(named(table))
    panels = [(str(run), "split", part) for run, part in rows.groupby("run")]
    if len(panels) > 1:
        panels.insert(0, ("test accuracy of each run", "run", rows[rows["split"] == "test"]))
    figure, axes = plt.subplots(len(panels), 1, figsize=(9, 4.2 * len(panels)), squeeze=False, layout="constrained")
    for panel, place in zip(panels, axes.flat, strict=True):
        draw(*panel, place)
    return figure


def named(table: "pd.DataFrame") -> "pd.DataFrame":
    """Runs that are taken where they stop on validation are called so."""
    return table.assign(run=table["run"].mask(table["when"] == STOPPED, table["run"] + f", {STOPPED}"))


def draw(title: str, by: str, rows: "pd.DataFrame", axes: "Axes") -> None:
    """A line for each split, or for each run."""
    import seaborn as sns

    found = [name for name in ("train", "validation", "test") if name in set(rows[by])] or sorted(rows[by].unique())
    look = {"hue": by, "hue_order": found, "style": by, "style_order": found, "markers": True, "dashes": False}
    sns.lineplot(rows, x="density", y="accuracy", errorbar=share_interval, ax=axes, **look)
    density_axis(axes)
    stopped = rows["run"].str.endswith(STOPPED).any()
    axes.set(title=title, ylabel="accuracy" if stopped else f"accuracy {LAST}")
    axes.grid(alpha=0.3)
    seeds = rows.groupby("run")["seed"].nunique()
    legend_beside(axes, seeds_words(seeds.max(), seeds.min()))


def headline(table: "pd.DataFrame") -> str:
    """Test accuracy of the densest level, of the level that validation would choose, and of the last level."""
    table = named(table)
    scores = table.pivot_table("accuracy", ["run", "level"], "split")
    found = []
    for run, levels in scores.groupby(level="run"):
        judge = "validation" if "validation" in levels and levels["validation"].notna().any() else "train"
        first, last = levels.index[0][1], levels.index[-1][1]
        places = {"densest": first, f"chosen on {judge}": levels[judge].idxmax()[1], "sparsest": last}
        found.append(f"{run}: test accuracy is " + ", ".join(words(table, run, *place) for place in places.items()))
    return "; ".join(found) + f" ({over_seeds(table)})."


def words(table: "pd.DataFrame", run: object, name: str, level: int) -> str:
    rows = table.query("run == @run and level == @level and split == 'test'")
    return f"{mean_words(rows['accuracy'], '.1%', share_interval)} {name} (density {rows['density'].mean():.1%})"
