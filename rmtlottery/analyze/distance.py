"""Does training that starts nearer to a solution need fewer directions?

Asked of runs along random directions from several starts (theta_0, `after:STEP`, `toward:SHARE`, `around:SHARE`), each in
several sizes, together with a run of all weights from each start. The distance is that from the start to where the run of
all weights from there ended. Thresholds are those of `transition` at one `loss`, the same for all starts; if none is named,
at the least loss that half of the seeds reach from every start with the most directions that were tried. `samples`, `probes`
and `steps` are those of the wells that predict them: the secant well knows where the solution lies, Larsen's bound how far.
"""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze import transition
from rmtlottery.analyze._hits import threshold
from rmtlottery.analyze._style import legend_beside, plain_log_ticks
from rmtlottery.analyze.transition import BOUND, INIT, MEASURED, SECANT, at, grids
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = transition.NEEDS
CHARTS, BESIDE = ("affine", "sum"), ("full",)
LOOKS = {MEASURED: "o-", SECANT: "s--", BOUND: "^:"}
FAMILIES = {"from step": "after a burn-in", "the way to w*": "on the way to w*", "the way beside w*": "beside w*"}
MARGIN = 1.02
WORDS = 100  # of a line of a title


def table(ticket: Ticket, *, samples: int = 1000, probes: int = 4, steps: int = 40, loss: float = 0.0) -> "pd.DataFrame":
    """Columns as of transition."""
    return transition.table(ticket, samples=samples, probes=probes, steps=steps, loss=loss)


def starts(table: "pd.DataFrame") -> "pd.DataFrame":
    """A row a task, projection and start: distance, loss, and the directions that half of the seeds need, with an interval
    and what is predicted of them."""
    import pandas as pd

    found = []
    for (name, kind), arms in together(table).items():
        loss = common(arms)
        for rows, curves in arms:
            if curves["run"].nunique() > 1:
                many = ", ".join(curves["run"].unique())
                raise Refusal(f"{many} are runs of all weights from one start: give that whose end is the w* that is meant")
            value, low, high = threshold(rows, loss)
            row: dict[str, Any] = {"task": name, "projection": kind, "start": rows["begun"].iloc[0], "loss": loss}
            far = curves.groupby("seed")["distance"].first().mean()
            row |= {"distance": far, MEASURED: value, "low": low, "high": high, "least": rows["dim"].min()}
            found.append(row | {source: at(curves, source, loss) for source in (SECANT, BOUND)})
    return pd.DataFrame(found).sort_values(["task", "projection", "distance"], ignore_index=True)


def together(table: "pd.DataFrame") -> "dict[tuple[str, str], list[tuple[pd.DataFrame, pd.DataFrame]]]":
    """Measured and predicted rows of each start that has both, by task and projection."""
    found: dict[tuple[str, str], list[Any]] = {}
    for _, rows, curves in grids(table):
        if len(curves):
            first = rows.iloc[0]
            task = first["task"].removesuffix(f", {first['begun']}")
            found.setdefault((task, first["projection"]), []).append((rows, curves))
    if not found:
        raise Refusal("no start has both runs along random directions and one of all weights: give these, from each start")
    return found


def common(arms: "list[tuple[pd.DataFrame, pd.DataFrame]]") -> float:
    """The loss that is asked for, or one that half of the seeds reach from every start."""
    asked = float(arms[0][0]["asked"].iloc[0])
    most = [rows[rows["dim"] == rows["dim"].max()]["loss"].median() for rows, _ in arms]
    return asked or float(max(most)) * MARGIN


def family(start: str) -> str:
    """Starts that differ by how far they are."""
    return next((name for words, name in FAMILIES.items() if words in start), start)


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a task and projection: directions that half of the seeds need over the distance of the start, measured and
    predicted; and what is predicted over what is measured. Thresholds without an interval are not among the latter."""
    import matplotlib.pyplot as plt

    parts = list(starts(table).groupby(["task", "projection"], sort=False))
    figure, axes = plt.subplots(len(parts), 2, figsize=(14, 5 * len(parts)), squeeze=False, layout="constrained")
    for ((name, kind), part), (left, right) in zip(parts, axes, strict=True):
        looks = colours(part)
        draw(part, looks, left)
        compare(part[(part["low"] > 0) & np.isfinite(part["high"])], looks, right)
        left.set_title(fill(f"{name}: {kind}", WORDS), loc="left", fontsize="medium")
    return figure


def colours(part: "pd.DataFrame") -> dict[str, Any]:
    import seaborn as sns

    names = [*FAMILIES.values(), INIT]
    found = dict(zip(names, sns.color_palette(n_colors=len(names)), strict=True))
    return {name: found.get(name, "0.3") for name in part["start"].map(family).unique()}


def draw(part: "pd.DataFrame", looks: dict[str, Any], axes: "Axes") -> None:
    for name, rows in part.groupby(part["start"].map(family), sort=False):
        for source, look in LOOKS.items():
            least = rows["least"] if source == MEASURED else 0
            dims = rows[source].where((rows[source] > least) & (rows[source] < np.inf))
            axes.plot(rows["distance"], dims, look, color=looks[name], alpha=0.8, markersize=5)
        below = rows[rows[MEASURED] < rows["least"]]
        axes.plot(below["distance"], below["least"], "v", color=looks[name], markersize=9)
        told = rows[(rows["low"] > 0) & np.isfinite(rows["high"])]
        axes.vlines(told["distance"], told["low"], told["high"], color=looks[name], linewidth=3, alpha=0.4)
    axes.set(yscale="log", xlabel="distance |start - w*|", ylabel=f"directions to a loss of {part['loss'].iloc[0]:.3g}")
    plain_log_ticks(axes.yaxis)
    axes.grid(alpha=0.3)


def compare(part: "pd.DataFrame", looks: dict[str, Any], axes: "Axes") -> None:
    for name, rows in part.groupby(part["start"].map(family), sort=False):
        reach = np.maximum([rows[MEASURED] - rows["low"], rows["high"] - rows[MEASURED]], 0)
        for source in (SECANT, BOUND):
            mark = LOOKS[source][0]
            axes.errorbar(rows[MEASURED], rows[source], xerr=reach, fmt=mark, color=looks[name], alpha=0.8)
    if len(part):
        ends = part[[MEASURED, SECANT, BOUND]].min(axis=None) / 1.2, part[[MEASURED, SECANT, BOUND]].max(axis=None) * 1.2
        axes.plot(ends, ends, color="0.5", linestyle=":")
        axes.set(xscale="log", yscale="log")
        plain_log_ticks(axes.xaxis)
        plain_log_ticks(axes.yaxis)
    for name, colour in looks.items():
        axes.plot([], [], color=colour, linewidth=4, label=name)
    for source, look in LOOKS.items():
        axes.plot([], [], look, color="0.3", label=source)
    axes.plot([], [], "v", color="0.3", label="fewer than were tried")
    axes.set(xlabel="directions measured", ylabel="directions predicted")
    axes.grid(alpha=0.3)
    legend_beside(axes, "half of the seeds hit\n[bars: 95 %]")


def headline(table: "pd.DataFrame") -> str:
    """Each start's distance, and its threshold measured and predicted."""
    found = []
    for (name, kind), part in starts(table).groupby(["task", "projection"], sort=False):
        each = "; ".join(words(row) for row in part.to_dict("records"))
        found.append(f"{name}: {kind}, directions to a loss of {part['loss'].iloc[0]:.3g}: {each}.")
    return " ".join(found)


def words(row: "dict[Any, Any]") -> str:
    dim, measured = row[MEASURED], f"{row[MEASURED]:.0f} [{row['low']:.0f}, {row['high']:.0f}]"
    if not 0 < dim < np.inf:
        measured = "no threshold, since every run hits" if dim == 0 else "no threshold"
    near = ", ".join(f"{source} {row[source]:.0f}" for source in (SECANT, BOUND) if np.isfinite(row[source]))
    return f"{row['start']} (distance {row['distance']:.3g}) {measured}{f' ({near})' if near else ''}"
