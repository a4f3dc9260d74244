"""Are the kept weights of two kinds, and is that more than cutting the small ones of a Gaussian would make of them?

Four answers, for none is enough. `sarle` is Sarle's coefficient (skewness^2 + 1) / kurtosis: 1/3 for a Gaussian, 5/9 for
a uniform law, 1 for two values; a skewed law raises it too. `dip` is Hartigan's distance from the nearest law with one
mode, with `dip_p`, its p-value against the uniform law. `bic_gain` is how much BIC a second Gaussian saves for each
weight, and `valley` how deep the fitted density falls between its two peaks, from 0 (one peak, or a second Gaussian that
BIC does not pay for) to 1; a second Gaussian also pays for mere heavy tails, with no valley. `hole` is the smallest kept
|w| over the kept weights' root mean square: what magnitude pruning cuts out around 0. The source "cut Gaussian" is a
Gaussian law of which the same share is kept by magnitude, all of this for as many quantiles. `state` is rewound (theta_k
under the mask) or trained. Layers with fewer than `fewest` different kept weights are left out; of one with more than
`most` kept weights about so many, by lot, are looked at: `kept` says how many.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import ndtri

from rmtlottery.analyze._style import density_axis, hidden, interval, legend_beside, mean_density, panel_name, seeds_words
from rmtlottery.refusal import Refusal
from rmtlottery.spectra.bimodality import kurtosis, sarle
from rmtlottery.spectra.dip import dip
from rmtlottery.spectra.two_gaussians import two_gaussians
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURED, CUT = "measured", "cut Gaussian"
LEVEL = 0.01


def table(ticket: Ticket, *, fewest: int = 30, most: int = 1_000_000) -> "pd.DataFrame":
    """Columns: state, layer, name, source, kept, sarle, kurtosis, dip, dip_p, bic_gain, valley, hole."""
    import pandas as pd

    if not 6 <= fewest <= most:
        raise Refusal(f"fewest = {fewest} is not at least 6, below which no law can be told, and at most most = {most}")
    rows = [
        {"state": state, "layer": layer, "name": name} | law
        for state, weights in ticket.states.items()
        for layer, (name, mask) in enumerate(ticket.mask.items(), start=1)
        for law in laws(some(weights[name], mask, most, name), int(mask.sum()) / mask.numel(), fewest)
    ]
    if not rows:
        raise Refusal(f"{ticket} keeps {fewest} different weights in no layer; take a smaller fewest")
    return pd.DataFrame(rows)


def some(weight: "torch.Tensor", mask: "torch.Tensor", most: int, name: str) -> np.ndarray:
    """The kept weights of a layer, or about so many of them, the same places whenever the layer is asked.

    Those of half precision are spread evenly over what was rounded to them: the many ties would be modes to a dip.
    """
    kept, numbers = weight[mask].double().numpy(), generator(0, "some of the weights", name)
    chosen = kept if len(kept) <= most else kept[np.unique(numbers.integers(0, len(kept), most))]
    if weight.dtype.itemsize > 2:
        return chosen
    spacing = torch.finfo(weight.dtype).eps * 2.0 ** (np.frexp(chosen)[1] - 1)
    return chosen + np.where(chosen != 0, spacing, 0.0) * (numbers.random(len(chosen)) - 0.5)


def laws(kept: np.ndarray, density: float, fewest: int) -> Iterator[dict[str, Any]]:
    """What is measured, and the quantiles of a Gaussian without its middle."""
    if len(np.unique(kept[: 2 * fewest])) >= fewest or len(np.unique(kept)) >= fewest:
        yield {"source": MEASURED} | told(kept)
        yield {"source": CUT} | told(cut_gaussian(len(kept), density))


def cut_gaussian(kept: int, density: float) -> np.ndarray:
    """As many quantiles of a Gaussian law, without the share around 0 that magnitude pruning takes."""
    below = density * (np.arange(kept) + 0.5) / kept
    return ndtri(np.where(below < density / 2, below, below + 1 - density))


def told(kept: np.ndarray) -> dict[str, Any]:
    deep, fit = dip(kept), two_gaussians(kept)
    hole = float(np.abs(kept).min() / np.sqrt(np.mean(kept**2)))
    shapes = {"kept": len(kept), "sarle": sarle(kept), "kurtosis": kurtosis(kept)}
    modes = {"dip": deep.statistic, "dip_p": deep.p_value, "bic_gain": fit.bic_gain / len(kept)}
    return shapes | modes | {"valley": fit.valley if fit.bic_gain > 0 else 0.0, "hole": hole}


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a state: Sarle's coefficient, dip and valley against density, means over hidden layers."""
    import matplotlib.pyplot as plt

    held = hidden(mean_density(table))
    parts = list(held.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 3, figsize=(16, 3.8 * len(parts)), squeeze=False, layout="constrained")
    words = {"sarle": "Sarle's coefficient", "dip": "dip (distance from one mode)", "valley": "depth of the valley"}
    for ((run, state), part), line in zip(parts, axes, strict=True):
        for panel, (column, label) in zip(line, words.items(), strict=True):
            draw(part, panel, column)
            panel.set(title=f"{panel_name(held, run, state)}: {label}", ylabel=label)
        line[0].axhline(1 / 3, color="grey", linewidth=1, linestyle=":")
        line[0].annotate("Gaussian", (0.01, 1 / 3), xycoords=("axes fraction", "data"), va="bottom", color="grey")
        legend_beside(line[-1], seeds_words(part["seed"].nunique()))
    return figure


def draw(part: "pd.DataFrame", axes: "Axes", column: str) -> None:
    """Against density; of one density against layer."""
    import seaborn as sns

    x = "density" if part["level"].nunique() > 1 else "layer"
    means = part.groupby(["seed", "source", x], as_index=False)[column].mean()
    look = {
        "hue": "source",
        "hue_order": [MEASURED, CUT],
        "style": "source",
        "style_order": [MEASURED, CUT],
        "markers": True,
    }
    sns.lineplot(means, x=x, y=column, errorbar=interval, ax=axes, legend="full", **look)
    if x == "density":
        density_axis(axes)
    axes.grid(alpha=0.3)
    axes.legend().remove()
    axes.set_ylim(0, None)


def headline(table: "pd.DataFrame") -> str:
    found = "; ".join(f"{run}: {summary(part)}" for run, part in table.groupby("run"))
    return f"{found} (hidden layers of all seeds; Sarle's coefficient is 1/3 for a Gaussian, 1 for two values)."


def summary(part: "pd.DataFrame") -> str:
    """At both ends: Sarle's coefficient, and in how many layers one mode is refused."""
    here = hidden(part)
    density = here.groupby("level")["density"].mean()
    ends = []
    for level in dict.fromkeys((density.index[0], density.index[-1])):
        for state, rows in here[here["level"] == level].groupby("state"):
            cells, cut = rows[rows["source"] == MEASURED], rows[rows["source"] == CUT]
            refused = f"one mode is refused at 1 % in {(cells['dip_p'] <= LEVEL).sum()} of {len(cells)} layers"
            values = f"Sarle's coefficient {cells['sarle'].mean():.2f} (cut Gaussian {cut['sarle'].mean():.2f})"
            ends.append(f"at density {density[level]:.1%} {state} {values}, {refused}")
    return "; ".join(ends)
