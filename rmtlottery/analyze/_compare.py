"""What questions of the form "does theory give it?" share: rows of measured and predicted, panels, a verdict."""

from collections.abc import Callable
from textwrap import fill
from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    layer_lines,
    legend_beside,
    log_height,
    mean_density,
    panel_name,
    seeds_words,
)
from rmtlottery.analyze.rungs.climb import climb
from rmtlottery.analyze.rungs.names import LADDER, MEASURED, NOTHING, PROBES, T0, T1, T2, T6, T9, T9B
from rmtlottery.measure.signal import Probe
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measured = Callable[[Weights], list[dict[str, Any]]]
Draw = Callable[["pd.DataFrame", "Axes"], None]
WIDE = 17  # letters of a legend
SHOWN = (MEASURED, PROBES, T0, T1, T2, T6)


def rows(ticket: Ticket, seen: Probe, parts: int, measured: Measured, columns: list[str]) -> "pd.DataFrame":
    """state, layer, source and `columns` of every hidden layer: what `measured` finds, and what each rung has for it."""
    import pandas as pd

    found: list[dict[str, Any]] = []
    for state, weights in ticket.states.items():
        climbed = climb(ticket, weights, seen, parts)
        found += [{"state": state} | row for row in (*measured(weights), *climbed.rows)]
    return pd.DataFrame(found)[["state", "layer", "source", *columns]].assign(inputs=seen.words, skipped=climbed.skipped)


def panels(table: "pd.DataFrame", y: str, words: str, heights: tuple[float, float], draw_right: Draw) -> "Figure":
    """Left: `y` against layer at some densities, measured and by the best rung. Middle: the deeper half against density,
    with some of theory. Right: what `draw_right` makes of each run and state. `heights` are shown whatever the values.
    """
    import matplotlib.pyplot as plt

    held = mean_density(table)
    parts = list(held.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 3, figsize=(17, 4 * len(parts)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, middle, right) in zip(parts, axes, strict=True):
        name, measured, deep = panel_name(held, run, state), part[part["source"] == MEASURED], deeper(part)
        best = best_rung(part)
        layer_lines(measured, left, y, dashed=part[part["source"] == best])
        left.set(title=f"{name}: measured{f', dashed {best}' if best else ''}", ylabel=words)
        log_height(left, measured[y], *heights)
        draw_theories(deep, middle, y)
        middle.set(title=f"{name}: deeper half, measured and predicted")
        middle.set(ylabel=f"{y}, mean of layers {deep['layer'].min()} to {deep['layer'].max()}")
        log_height(middle, deep.loc[deep["source"].isin({*SHOWN, best} - {T1}), y], *heights)
        draw_right(part, right)
        right.set(title=f"{name}: {right.get_title()}")
    return figure


def best_rung(part: "pd.DataFrame") -> str:
    """The highest rung that there is."""
    return next((rung for rung in reversed(LADDER) if rung in set(part["source"])), "")


def draw_theories(deep: "pd.DataFrame", axes: "Axes", y: str) -> None:
    import seaborn as sns

    shown = [source for source in dict.fromkeys((*SHOWN, best_rung(deep))) if source in set(deep["source"])]
    means = deep[deep["source"].isin(shown)].groupby(["seed", "density", "source"], as_index=False)[y].mean()
    look = {"hue": "source", "hue_order": shown, "style": "source", "style_order": shown, "markers": True}
    sns.lineplot(means, x="density", y=y, errorbar=interval, ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    lines, names = axes.get_legend_handles_labels()
    legend_beside(axes, seeds_words(deep["seed"].nunique()), lines, [fill(name, WIDE) for name in names])


def draw_gaps(part: "pd.DataFrame", axes: "Axes") -> None:
    """Rung by rung, |log2 of predicted q over measured|, averaged over layers after the first; the bar in grey."""
    gap = gaps(after_first(reached(part)))
    axes.set(title="what each rung leaves")
    if gap.empty:
        return axes.set_axis_off()
    order = [rung for rung in LADDER if rung in set(gap["source"])]
    places = gap.assign(layer=gap["source"].map({rung: place for place, rung in enumerate(order)}))
    means = places.groupby(["seed", "level", "density", "layer"], as_index=False)["gap"].mean()
    layer_lines(means, axes, "gap")
    if gap["bar"].notna().any():
        axes.axhspan(0, gap["bar"].mean(), color="black", alpha=0.1)
    axes.set_xticks(range(len(order)), [rung.split()[0] for rung in order])
    axes.set(
        xlabel="rung of the ladder (grey: finite width)",
        ylabel="|log2 of predicted over measured q|,\nmean of layers after the first",
        ylim=(0, None),
    )


def gaps(part: "pd.DataFrame") -> "pd.DataFrame":
    """Every rung's cells beside the measured ones: gap and bar in octaves."""
    import numpy as np

    cells = ["seed", "level", "layer"]
    truth = part[part["source"] == MEASURED].set_index(cells)["q"].rename("truth")
    rungs = part[part["source"].isin(LADDER)].join(truth, on=cells)
    told = rungs[(rungs["truth"] > 0) & (rungs["q"] > 0)]
    return told.assign(gap=np.abs(np.log2(told["q"] / told["truth"])), bar=np.log2(1 + told["bar"]))


def after_first(part: "pd.DataFrame") -> "pd.DataFrame":
    """The layers after the first, which sees the inputs; it alone where there are no others."""
    return part[part["layer"] > 1] if part["layer"].max() > 1 else part


def deeper(part: "pd.DataFrame") -> "pd.DataFrame":
    """The deeper half of the hidden layers that theory reaches, or of all."""
    held = reached(part)
    return held[held["layer"] > held["layer"].max() // 2]


def reached(part: "pd.DataFrame") -> "pd.DataFrame":
    """The layers that a rung reaches, or all where none does."""
    told = part.loc[part["source"].isin(LADDER), "layer"]
    return part[part["layer"] <= told.max()] if len(told) else part


def of_each_run(table: "pd.DataFrame", summary: Callable[["pd.DataFrame"], str]) -> str:
    """A sentence on the deeper half of the rewound nets of every run, and what theory does not reach."""
    runs = table[table["state"] == "rewound"].groupby("run")
    sentences = "; ".join(f"{run}: {summary(deeper(part))}" for run, part in runs)
    return f"{sentences} (means over seeds, deeper half of the layers).{not_reached(table)}"


def not_reached(table: "pd.DataFrame") -> str:
    reasons = [words for words in table["skipped"].unique() if words != NOTHING]
    return f" Not reached: {'; '.join(reasons)}." if reasons else ""


def theory_over_measured(deep: "pd.DataFrame", y: str) -> str:
    """Of some rungs, in the layers that they reach."""
    cells = deep.pivot_table(y, ["seed", "layer"], "source")
    off = []
    for source in (T0, T1, T2, T6, T9, T9B):
        if source in cells:
            both = cells[[MEASURED, source]].dropna()
            off.append(f"{source.split()[0]} x{both[source].mean() / both[MEASURED].mean():.2g}")
    return f"theory over measured is {', '.join(off)}" if off else "no theory reaches these layers"
