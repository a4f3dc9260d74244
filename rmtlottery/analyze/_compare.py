"""What questions of the form "does theory give it?" share: rows of measured and predicted, two panels, one verdict."""

from collections.abc import Callable
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
from rmtlottery.analyze._theory import SOURCES, T0, T1, T2, predictions
from rmtlottery.measure.signal import Probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Callable[..., list[float]]


def rows(ticket: Ticket, seen: Probe, measure: Measure, y: str) -> "pd.DataFrame":
    """state, layer, `y` and source of every hidden layer, as `measure` finds it and as each theory has it."""
    import pandas as pd

    found: list[dict[str, Any]] = []
    for state, weights in ticket.states.items():
        measured = enumerate(measure(seen.network, weights, seen.x), start=1)
        found += [{"state": state, "layer": layer, y: value, "source": "measured"} for layer, value in measured]
        found += [{"state": state} | row for row in predictions(ticket, weights, seen)]
    return pd.DataFrame(found)[["state", "layer", y, "source"]]


def panels(table: "pd.DataFrame", y: str, words: str, heights: tuple[float, float], line: float | None = None) -> "Figure":
    """Left: `y` measured against layer at some densities. Right: in the deeper half against density, with theory.

    `heights` are shown whatever the values, and `line` is drawn across.
    """
    import matplotlib.pyplot as plt

    held = mean_density(table)
    parts = list(held.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 2, figsize=(13, 4 * len(parts)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(parts, axes, strict=True):
        name, measured, deep = panel_name(held, run, state), part[part["source"] == "measured"], deeper(part)
        layer_lines(measured, left, y)
        left.set(title=f"{name}: measured in each hidden layer", ylabel=words)
        log_height(left, measured[y], *heights)
        draw_theories(deep, right, y)
        right.set(title=f"{name}: deeper half, measured and predicted")
        right.set(ylabel=f"{y}, mean of layers {deep['layer'].min()} to {deep['layer'].max()}")
        log_height(right, deep[y], *heights)
        for place in (left, right) if line else ():
            place.axhline(line, color="black", linewidth=1)
    return figure


def draw_theories(deep: "pd.DataFrame", axes: "Axes", y: str) -> None:
    import seaborn as sns

    means = deep.groupby(["seed", "density", "source"], as_index=False)[y].mean()
    look = {"hue": "source", "hue_order": SOURCES, "style": "source", "style_order": SOURCES, "markers": True}
    sns.lineplot(means, x="density", y=y, errorbar=interval, ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(deep["seed"].nunique()))


def deeper(part: "pd.DataFrame") -> "pd.DataFrame":
    """The deeper half of the hidden layers."""
    return part[part["layer"] > part["layer"].max() // 2]


def of_each_run(table: "pd.DataFrame", summary: Callable[["pd.DataFrame"], str]) -> str:
    """A sentence on the deeper half of the rewound nets of every run."""
    runs = table[table["state"] == "rewound"].groupby("run")
    sentences = "; ".join(f"{run}: {summary(deeper(part))}" for run, part in runs)
    return f"{sentences} (means over seeds, deeper half of the layers)."


def theory_over_measured(deep: "pd.DataFrame", y: str) -> str:
    """Of each theory, in the layers that it reaches."""
    cells = deep.pivot_table(y, ["seed", "layer"], "source")
    off = []
    for source in (T0, T1, T2):
        if source in cells:
            both = cells[["measured", source]].dropna()
            off.append(f"{source.split()[0]} x{both[source].mean() / both['measured'].mean():.2g}")
    return f"there theory over measured is {', '.join(off)}" if off else "no theory reaches these layers"
