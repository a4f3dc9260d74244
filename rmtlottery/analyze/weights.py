"""How do mean and spread of the kept weights move as pruning goes on?

Mean and std are times sqrt(dense fan-in), so that std starts at sigma_w. `mean_error` is std / sqrt(kept), the sampling
error of the mean of that many independent weights, and z is the mean over it: under a centred law |z| < 1.96 in 95 % of the
cells (seed, level, layer). That share is a yardstick and no test: the cells of one seed are not independent, since a level
keeps weights of the level before, and training ties the weights of a layer. `state` is rewound (theta_k under the mask) or
trained.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import (
    hidden,
    layer_lines,
    layer_ticks,
    legend_beside,
    level_colour,
    mean_density,
    panel_name,
    percent,
    spread,
)
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NORMAL_95 = 1.96
MEANS_SHOWN = 4


def table(ticket: Ticket) -> "pd.DataFrame":
    """Columns: state, layer, name, mean, std, kept, mean_error, z, source. A layer that keeps one weight has no std."""
    import pandas as pd

    rows = [
        {"state": state, "layer": layer, "name": name} | moments(kept_weights(weights[name], mask))
        for state, weights in ticket.states.items()
        for layer, (name, mask) in enumerate(ticket.mask.items(), start=1)
    ]
    return pd.DataFrame(rows).assign(source="measured")


def kept_weights(weight: "torch.Tensor", mask: "torch.Tensor") -> np.ndarray:
    """The kept weights times sqrt(dense fan-in), in float64."""
    return weight[mask].double().numpy() * np.sqrt(mask[0].numel())


def moments(kept: np.ndarray) -> dict[str, Any]:
    mean = float(kept.mean()) if len(kept) else np.nan
    std = float(kept.std(ddof=1)) if len(kept) > 1 else np.nan
    error = std / np.sqrt(max(len(kept), 1))
    return {"mean": mean, "std": std, "kept": len(kept), "mean_error": error, "z": mean / error if error > 0 else np.nan}


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: mean in each layer with the band that its sampling error spans. Right: std in each layer."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    panels = list(rows.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(panels), 2, figsize=(13, 3.8 * len(panels)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(panels, axes, strict=True):
        name = panel_name(rows, run, state)
        draw_means(part, left)
        left.set(title=f"{name}: mean over seeds, band of 1.96 sampling errors", xlabel="layer")
        left.set_ylabel("mean of kept weights x sqrt(dense fan-in)")
        layer_lines(part, right, "std")
        right.set(title=f"{name}: spread", ylabel="std of kept weights x sqrt(dense fan-in)", ylim=(0, None))
    return figure


def draw_means(part: "pd.DataFrame", axes: "Axes") -> None:
    """The error of the mean over seeds: the root of the sum of squares over their number."""
    levels = spread(sorted(part["level"].unique()), MEANS_SHOWN)
    for level in levels:
        colour = level_colour(level, levels)
        rows = part[part["level"] == level]
        mean = rows.groupby("layer")["mean"].mean()
        band = NORMAL_95 * rows.groupby("layer")["mean_error"].agg(lambda errors: np.sqrt((errors**2).sum()) / len(errors))
        axes.plot(mean.index, mean, marker="o", color=colour, label=percent(rows["density"].iloc[0]))
        axes.fill_between(mean.index, mean - band, mean + band, color=colour, alpha=0.15, linewidth=0)
    axes.axhline(0, color="black", linewidth=1)
    layer_ticks(axes, part["layer"])
    axes.grid(alpha=0.3)
    legend_beside(axes, "density")


def headline(table: "pd.DataFrame") -> str:
    """How often the mean is within its sampling error, and how the spread of the hidden layers moves."""
    found = "; ".join(f"{run}: {summary(part)}" for run, part in table.groupby("run"))
    return f"{found} (stds are means over seeds and hidden layers)."


def summary(part: "pd.DataFrame") -> str:
    cells = part.dropna(subset=["z"]).groupby("state")["z"]
    if not len(cells):
        return "no layer keeps two different weights"
    within = ", ".join(f"{(z.abs() < NORMAL_95).mean():.1%} of {len(z)} {state}" for state, z in cells)
    density = part.groupby("level")["density"].mean()
    stds = hidden(part).pivot_table("std", "level", "state").reindex(density.index)
    first, last = density.index[0], density.index[-1]
    moves = ", ".join(f"{stds[state][first]:.3g} to {stds[state][last]:.3g} {state}" for state in stds)
    ends = f"from density {density[first]:.1%} to {density[last]:.1%}"
    return (
        f"the mean of a layer is within 1.96 sampling errors of 0 in {within} cells, 95 % expected; {ends} std goes {moves}"
    )
