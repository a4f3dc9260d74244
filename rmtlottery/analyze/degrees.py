"""Are the kept weights spread evenly over units, or do some get more?

The degree of a unit is the number of weights that it keeps: its inputs for direction `in` (one number a row of the layer's
weight), its outputs for `out` (a column). Units of a convolution are channels. `ratio` is the variance of the degree over
units, over n p (1 - p) of the binomial law with the layer's own density p and the n weights that a unit could have. Under a
mask by lot it is 1 in expectation (to one part in the number of weights), and 95 % of such masks lie from `low` to `high`,
quantiles of chi-square over its degrees of freedom, units - 1. Where nothing is cut, and where there is one unit only, the
ratio is NaN. `dead` counts units of degree 0; beside "binomial" it is how many chance would leave.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import density_axis, legend_beside, log_height, mean_density, spread
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIRECTIONS = {"in": "weights into each unit", "out": "weights out of each input"}
LAYERS_SHOWN = 3


def table(ticket: Ticket) -> "pd.DataFrame":
    """Columns: layer, name, direction, units, possible (n), source, mean, std, min, max, dead, ratio, low, high."""
    import pandas as pd

    rows = []
    for layer, (name, mask) in enumerate(ticket.mask.items(), start=1):
        for direction, by_unit in {"in": mask, "out": mask.transpose(0, 1)}.items():
            facts = {"layer": layer, "name": name, "direction": direction}
            rows += [facts | law for law in laws(by_unit.flatten(1).numpy())]
    return pd.DataFrame(rows)


def laws(kept: np.ndarray) -> Iterator[dict[str, Any]]:
    """Measured and binomial, of a mask with a row a unit. Stds have units - 1 in the denominator."""
    units, n = kept.shape
    degree, p = kept.sum(1), kept.mean()
    low, high = chance(units - 1)
    facts = {"units": units, "possible": n, "low": low, "high": high}
    variance = degree.var(ddof=1) if units > 1 else np.nan
    expected = n * p * (1 - p)
    measured = {"mean": degree.mean(), "std": np.sqrt(variance), "min": degree.min(), "max": degree.max()}
    ratio = variance / expected if expected > 0 else np.nan
    yield facts | measured | {"source": "measured", "dead": int((degree == 0).sum()), "ratio": ratio}
    binomial = {"mean": n * p, "std": np.sqrt(expected), "min": np.nan, "max": np.nan}
    yield facts | binomial | {"source": "binomial", "dead": units * (1 - p) ** n, "ratio": 1.0}


def chance(freedom: int) -> tuple[float, float]:
    """Where the ratio of 95 % of masks by lot lies, or the mean ratio of several, whose degrees of freedom add up."""
    from scipy.stats import chi2

    if freedom < 1:
        return np.nan, np.nan
    low, high = chi2.ppf((0.025, 0.975), freedom) / freedom
    return float(low), float(high)


def plot(table: "pd.DataFrame") -> "Figure":
    """Ratio against density, a panel a direction, a line a layer, with the band of chance for one mask."""
    import matplotlib.pyplot as plt

    rows = mean_density(table[table["source"] == "measured"])
    runs = list(rows.groupby("run"))
    figure, axes = plt.subplots(len(runs), 2, figsize=(14, 4.4 * len(runs)), squeeze=False, layout="constrained")
    for (run, part), line in zip(runs, axes, strict=True):
        for (direction, words), panel in zip(DIRECTIONS.items(), line, strict=True):
            here = part[part["direction"] == direction].dropna(subset=["ratio"])
            if here.empty:
                panel.text(0.5, 0.5, "nothing is cut", ha="center", transform=panel.transAxes)
            else:
                draw(here, panel)
            panel.set(title=f"{run}\n{words}", ylabel="variance of the number over that of chance")
            log_height(panel, here["ratio"], 0.45, 2.2)
    return figure


def draw(part: "pd.DataFrame", axes: "Axes") -> None:
    """Seeds are dots: what chance does to them is the band, one for each number of units."""
    from seaborn import color_palette

    layers = spread(sorted(part["layer"].unique()), LAYERS_SHOWN)
    for layer, colour in zip(layers, color_palette("colorblind", len(layers)), strict=True):
        rows = part[part["layer"] == layer]
        mean = rows.groupby("density")["ratio"].mean()
        axes.plot(mean.index, mean, color=colour, marker="o", label=f"{layer} ({rows['units'].iloc[0]} units)")
        axes.plot(rows["density"], rows["ratio"], ".", color=colour, alpha=0.5, markersize=4)
        low, high = rows[["low", "high"]].iloc[0]
        axes.axhspan(low, high, color=colour, alpha=0.12, linewidth=0)
    axes.axhline(1, color="black", linewidth=1)
    density_axis(axes)
    axes.grid(alpha=0.3)
    legend_beside(axes, "layer, mean of seeds\n(dots: each seed; band:\n95 % of masks by lot)")


def headline(table: "pd.DataFrame") -> str:
    """The layer and direction whose sparsest mask is farthest from chance."""
    measured = table[table["source"] == "measured"].dropna(subset=["ratio"])
    if measured.empty:
        return "Nothing is cut, and every unit keeps all its weights."
    return f"{'; '.join(f'{run}: {summary(part)}' for run, part in measured.groupby('run'))}."


def summary(part: "pd.DataFrame") -> str:
    """Farthest in standard deviations of the mean ratio of that many masks by lot."""
    sparsest = part[part["level"] == part["level"].max()]
    seeds, cells = sparsest["seed"].nunique(), sparsest.groupby(["layer", "direction"])[["ratio", "units"]].mean()
    away = (cells["ratio"] - 1).abs() * np.sqrt(seeds * (cells["units"] - 1) / 2)
    (layer, direction), (ratio, units) = away.idxmax(), cells.loc[away.idxmax()]
    low, high = chance(round(seeds * (units - 1)))
    where = (
        f"at density {sparsest['density'].mean():.1%} the {DIRECTIONS[direction]} of layer {layer} are farthest from chance"
    )
    how = f"{'more' if ratio > 1 else 'less'} than by lot: the variance of their number is {ratio:.3g} times that of chance"
    lot = "a mask by lot has" if seeds == 1 else f"{seeds} masks by lot have"
    scale = f"{lot} {low:.3g} to {high:.3g} in 95 %, and it is {away.max():.2g} standard deviations off"
    return f"{where} and vary {how} ({scale}, the farthest of {len(cells)} cells)"
