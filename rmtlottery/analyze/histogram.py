"""What law do the kept weights follow before and after training?

`w` is the centre of a bin, times sqrt(dense fan-in), so that std starts at sigma_w; `pdf` is the density there. The bins of
a layer span 4 root mean squares of its own kept weights to either side, and `outside` is the share beyond. "Gaussian of the
same std" has the mean of the kept weights too, and is averaged over each bin. `bimodality` is Sarle's coefficient
(skewness^2 + 1) / kurtosis of the kept weights: 1/3 for a Gaussian, 5/9 for a uniform law, 1 for two values. `state` is
rewound (theta_k under the mask) or trained; a layer that keeps fewer than two different weights has no rows.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import hidden, legend_beside, level_colour, mean_density, panel_name, percent, spread
from rmtlottery.analyze.weights import kept_weights
from rmtlottery.refusal import Refusal
from rmtlottery.spectra.bimodality import sarle
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAUSSIAN = "Gaussian of the same std"
REACH = 4.0
LEVELS_SHOWN, LAYERS_SHOWN = 4, 3


def table(ticket: Ticket, *, bins: int = 61) -> "pd.DataFrame":
    """Columns: state, layer, name, w, source, pdf, outside, bimodality, bin."""
    import pandas as pd

    if bins < 2:
        raise Refusal(f"bins = {bins} is not at least 2")
    frames = [
        pd.DataFrame({"state": state, "layer": layer, "name": name} | law)
        for state, weights in ticket.states.items()
        for layer, (name, mask) in enumerate(ticket.mask.items(), start=1)
        for law in laws(kept_weights(weights[name], mask), bins)
    ]
    if not frames:
        raise Refusal(f"{ticket} keeps two different weights in no layer, and has no law to show")
    return pd.concat(frames, ignore_index=True)


def laws(kept: np.ndarray, bins: int) -> Iterator[dict[str, Any]]:
    """The columns of one layer: measured, and the Gaussian in the same bins."""
    from scipy.special import ndtr

    if not len(kept) or not kept.std() > 0:
        return
    edges = REACH * np.sqrt(np.mean(kept**2)) * np.linspace(-1, 1, bins + 1)
    held = {"bin": np.arange(bins), "w": (edges[1:] + edges[:-1]) / 2}
    measured = np.histogram(kept, edges)[0] / len(kept)
    gaussian = np.diff(ndtr((edges - kept.mean()) / kept.std()))
    for source, shares, coefficient in (("measured", measured, sarle(kept)), (GAUSSIAN, gaussian, 1 / 3)):
        facts = {"source": source, "outside": 1 - shares.sum(), "bimodality": coefficient}
        yield held | {"pdf": shares / np.diff(edges)} | facts


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a state, three layers, one colour a density; dashed the Gaussian of the sparsest level."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    panels, layers = list(rows.groupby(["run", "state"])), chosen(sorted(rows["layer"].unique()))
    size = (4.2 * len(layers) + 1.5, 3.6 * len(panels))
    figure, axes = plt.subplots(len(panels), len(layers), figsize=size, squeeze=False, layout="constrained")
    for ((run, state), part), line in zip(panels, axes, strict=True):
        for layer, panel in zip(layers, line, strict=True):
            draw(part[part["layer"] == layer], panel)
            panel.set(title=f"{panel_name(rows, run, state)}: layer {layer}", xlabel="kept weight x sqrt(dense fan-in)")
            panel.set_ylabel("probability density")
        if line[-1].lines:
            legend_beside(line[-1], "density")
    return figure


def chosen(layers: list[int]) -> list[int]:
    """The first layer from hidden to hidden, the last one, and one between; the first of all where there is none."""
    return spread([layer for layer in layers if 1 < layer < layers[-1]] or layers[:1], LAYERS_SHOWN)


def draw(part: "pd.DataFrame", axes: "Axes") -> None:
    """Bins of the seeds are averaged one by one, place and height."""
    if part.empty:
        return
    levels = spread(sorted(part["level"].unique()), LEVELS_SHOWN)
    for level in levels:
        here = part[part["level"] == level]
        curves = here.groupby(["source", "bin"])[["w", "pdf"]].mean()
        measured, gaussian = curves.loc["measured"], curves.loc[GAUSSIAN]
        colour = level_colour(level, levels)
        axes.plot(measured["w"], measured["pdf"], color=colour, label=percent(here["density"].iloc[0]))
    axes.plot(gaussian["w"], gaussian["pdf"], "--", color="grey", label="Gaussian of the\nsame std, sparsest")
    axes.set_ylim(0, None)
    axes.grid(alpha=0.3)


def headline(table: "pd.DataFrame") -> str:
    """Sarle's coefficient at both ends, before and after training."""
    found = "; ".join(f"{run}: {summary(part)}" for run, part in table.groupby("run"))
    return f"{found} (means over seeds and hidden layers; 1/3 is a Gaussian, 5/9 a uniform law, 1 two values)."


def summary(part: "pd.DataFrame") -> str:
    here = hidden(part[(part["source"] == "measured") & (part["bin"] == 0)])
    density = here.groupby("level")["density"].mean()
    shape = here.pivot_table("bimodality", "level", "state").reindex(density.index)
    first, last = density.index[0], density.index[-1]
    moves = ", ".join(f"{shape[state][first]:.3f} to {shape[state][last]:.3f} {state}" for state in shape)
    return f"from density {density[first]:.1%} to {density[last]:.1%} the bimodality of the kept weights goes {moves}"
