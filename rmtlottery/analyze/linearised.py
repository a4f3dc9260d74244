"""Does the linearised net need as many random directions as its curvatures predict?

The net f(w_0) + J (w - w_0) about the weights that a ticket was trained from, under its mask, with the loss
1/2 |f - e_y|^2 on the first `samples` training samples: a quadratic well, exactly. `loss` is counted from its minimum, as
`share` of what it is at w_0. Measured is the least number of random directions along which a point so low exists, solved
for exactly by one QR for each of `draws` draws of each kind of P in `projections`; up to `most` directions are looked at,
and losses that a draw does not reach with these are left out. Predicted is the mean field of uniformly random subspaces
(half of them reach the loss), from products with J alone: stochastic Lanczos quadrature for the spectrum, `probes` of
`steps` steps, and one Lanczos run from the gradient for the displacement in it; `error` is the standard error of the former.
Beside it stands the upper bound of Larsen et al. (2021), which knows of the displacement its length alone.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import legend_beside, panel_name, percent, plain_log_ticks, spread
from rmtlottery.analyze._wells import bound, by_gradient, error
from rmtlottery.measure.hessian import Landscape, landscape, spectra
from rmtlottery.measure.linearised import check, least_squares
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.width import hitting_dimensions, nested_losses

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
SHARES = np.array([0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01])
PREDICTED, BOUND = "mean field", "Larsen's bound"
PANELS = 4


def table(
    ticket: Ticket, *, samples: int = 500, projections: str = "dense", draws: int = 3, most: int = 400, probes: int = 4,
    steps: int = 60,
) -> "pd.DataFrame":  # fmt: skip
    """Columns: state, source, draw, share, loss, dim, error, ambient, samples."""
    import pandas as pd

    if min(draws, most, probes, steps) < 1:
        raise Refusal(f"draws = {draws}, most = {most}, probes = {probes}, steps = {steps}: each is at least 1")
    kinds = projections.split(",")
    for kind in kinds:
        check(kind)
    exact = {name: value.double() for name, value in ticket.rewound.items()}
    seen = landscape(ticket, exact, samples, "squared")
    numbers = generator(ticket.seed or 0, "linearised", ticket.level)
    told = spectra(seen.gauss_newton, seen.gradient(), probes, steps, numbers)
    well = by_gradient(told)
    lowest, losses = seen.value(seen.at) - well.start, SHARES * well.start
    rows = [{"source": PREDICTED, "dim": well.threshold(losses), "error": error(told, well, losses)}]
    rows += [{"source": BOUND, "dim": bound(well, losses)}]
    rows += list(measured(seen, kinds, draws, min(most, told.ambient), losses + lowest))
    shared = {"state": "rewound", "share": SHARES, "loss": losses, "ambient": told.ambient, "samples": len(seen.split.y)}
    found = pd.concat([pd.DataFrame(shared | row) for row in rows], ignore_index=True)
    return found.reindex(columns=["state", "source", "draw", "share", "loss", "dim", "error", "ambient", "samples"])


def measured(seen: Landscape, kinds: list[str], draws: int, most: int, losses: np.ndarray) -> Iterator[dict[str, Any]]:
    """The least dimension of each draw that reaches each loss, no number where none does."""
    for kind in kinds:
        for draw in range(draws):
            least = nested_losses(least_squares(seen, kind, most, draw))
            dims = hitting_dimensions(least[None], losses)[0].astype(float)
            yield {"source": kind, "draw": draw, "dim": np.where(dims <= most, dims, np.nan)}


def plot(table: "pd.DataFrame") -> "Figure":
    """A panel a density: loss against the directions that reach it."""
    import matplotlib.pyplot as plt

    panels = [part for _, part in table.groupby(["run", "state", "level"], sort=False)]
    shown = spread(panels, PANELS)
    figure, axes = plt.subplots(1, len(shown), figsize=(5 * len(shown) + 2.5, 4.4), squeeze=False, layout="constrained")
    for part, panel in zip(shown, axes.flat, strict=True):
        draw(part, panel)
        first = part.iloc[0]
        words = f"density {percent(first['density'])}, {first['ambient']:,} weights and biases"
        panel.set_title(f"{panel_name(table, first['run'], first['state'])}\n{words}", fontsize="medium")
    legend_beside(axes.flat[-1], "dots: a draw each")
    return figure


def draw(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    kinds = [source for source in part["source"].unique() if source not in (PREDICTED, BOUND)]
    for source, look in ((PREDICTED, "-"), (BOUND, "--")):
        line = part[part["source"] == source].groupby("share")["dim"].mean()
        axes.plot(line.index, line, look, color="black", label=source)
    for kind, colour in zip(kinds, sns.color_palette(n_colors=len(kinds)), strict=True):
        rows = part[part["source"] == kind]
        axes.plot(rows["share"], rows["dim"], "o", color=colour, markersize=4, alpha=0.6, label=kind)
    axes.set(xscale="log", yscale="log", xlabel="loss above the minimum, share of the initial", ylabel="directions d")
    plain_log_ticks(axes.xaxis)
    plain_log_ticks(axes.yaxis)
    axes.grid(alpha=0.3)


def headline(table: "pd.DataFrame") -> str:
    """Measured over predicted, and the bound over predicted, from the least ratio to the largest."""
    words = []
    for (run, density), part in table.groupby(["run", "density"], sort=False):
        dims = part[part["source"] != BOUND]
        predicted = part[part["source"] == PREDICTED].set_index(["seed", "share"])["dim"]
        keys = dims.set_index(["seed", "share"]).index
        ratios = (dims["dim"] / predicted.reindex(keys).to_numpy())[dims["source"] != PREDICTED].groupby(dims["source"])
        told = [f"{kind} {ratio.median():.2f} [{ratio.min():.2f}, {ratio.max():.2f}]" for kind, ratio in ratios]
        seen = dims.loc[(dims["source"] != PREDICTED) & dims["dim"].notna(), "share"]
        high = part[(part["source"] == BOUND) & part["share"].isin(seen)].set_index(["seed", "share"])["dim"] / predicted
        reached = f"from {percent(seen.max())} to {percent(seen.min())} of the initial loss"
        bounds = f"{BOUND} {high.min():.1f} to {high.max():.1f}"
        words.append(f"{run} at density {percent(density)}, {reached}: {', '.join(told)}; {bounds}")
    return f"Directions measured over predicted, median and range over losses that draws reach: {'; '.join(words)}."
