"""How many random directions does it take to reach a loss, and does the curvature at the solution predict it?

Asked of runs in subspaces of several sizes (`rl.grid`, or `chart="affine"`) together with a run of all weights from the same
seeds and starts: after a burn-in (`after:STEP`), w_0 is where that ended. Measured is the least running mean of the training
loss over an epoch: a run hits every loss above it, so that one run serves all. A threshold is where a logistic curve in
log d through the shares of seeds that hit is 1/2, with a 95 % interval by resampled seeds; those at `loss` are told, or at
five losses between the ends.

Predicted is the size at which half of all uniformly random subspaces through w_0 reach a loss (`rl.width.Well`), if the
loss is L(w*) plus a quadratic well about the trained weights w* of the whole net, on the first `samples` training samples
(0: all). The well at w* has the Gauss-Newton matrix there; the secant well has its average over the way from w* to w_0, a
step t of it with the weight 2 (1 - t), so that the well is as high at w_0 as the loss is, but for what Gauss-Newton leaves
out of the Hessian. `start` is how high, beside `initial`, the loss at w_0: where these differ, the loss is no such well;
`distance` is |w_0 - w*|.
Spectra are told by stochastic Lanczos quadrature, `probes` of `steps` steps, and a Lanczos run from w_0 - w*; `error` is
that of the probes. Larsen's upper bound is of the well at w*.
"""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._arms import task
from rmtlottery.analyze._hits import hits, threshold
from rmtlottery.analyze._style import legend_beside, plain_log_ticks
from rmtlottery.analyze._wells import bound, by_displacement, error
from rmtlottery.analyze.dint import begun, words
from rmtlottery.measure.hessian import landscape, spectra
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Few, Principal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "what training recorded"
CHARTS = ("affine", "sum", "principal")
MEASURED, PREDICTED, SECANT, BOUND = "measured", "well at w*", "secant well", "Larsen's bound"
LOOKS = {PREDICTED: ("tab:red", "-"), SECANT: ("tab:green", "-"), BOUND: ("tab:orange", "--")}
INIT = "theta_0"
PLACES = 4  # on the way from w* to w_0
POINTS = 40  # of a predicted curve
LOSSES = 24  # rows of the picture
WORDS = 80  # of a line of a title
ASKED = 5  # losses whose thresholds are told


def table(ticket: Ticket, *, samples: int = 1000, probes: int = 4, steps: int = 40, loss: float = 0.0) -> "pd.DataFrame":
    """Columns: task, begun, projection, uniform, source, dim, loss, error, start, initial, lowest (loss at w*), distance,
    ambient, asked."""
    import pandas as pd

    if not ticket.metrics or ticket.spec is None:
        raise Refusal(f"{ticket} was not trained here, and hit no loss; train it first")
    if ticket.level:
        return pd.DataFrame()  # subspaces are of whole nets
    told = [task(ticket.spec.but(chart="full"), ticket.metrics[-1]["epoch"]), begun(ticket)]
    whose: dict[str, Any] = {"task": ", ".join(filter(None, told)), "begun": told[-1] or INIT, "asked": loss}
    if isinstance(ticket.spec.chart, Few):
        return pd.DataFrame([whose | reached(ticket, ticket.spec.chart)])
    return pd.concat([pd.DataFrame(whose | rows) for rows in predicted(ticket, samples, probes, steps)], ignore_index=True)


def reached(ticket: Ticket, chart: Few) -> dict[str, Any]:
    """`uniform`: whether it was along random directions, which are what is predicted."""
    return {
        "projection": words(chart),
        "uniform": not isinstance(chart, Principal),
        "source": MEASURED,
        "dim": float(chart.dim),
        "loss": min(row["train_loss"] for row in ticket.metrics),
        "ambient": sum(ticket.weights[name].numel() for name in ticket.record["parameters"]),
    }


def predicted(ticket: Ticket, samples: int, probes: int, steps: int) -> list[dict[str, Any]]:
    """The curve of each well, and that of the bound."""
    seen = landscape(ticket, ticket.weights, samples)
    start, lowest = seen.vector(ticket.rewound), seen.value(seen.at)
    numbers = generator(ticket.seed or 0, "transition", ticket.level)
    facts = {"initial": seen.value(start), "lowest": lowest, "ambient": len(start)}
    facts["distance"] = float((start - seen.at).double().norm())
    found = []
    for source, product in ((PREDICTED, seen.gauss_newton), (SECANT, seen.secant(start, PLACES))):
        told = spectra(product, start - seen.at, probes, steps, numbers)
        well = by_displacement(told)
        losses = well.start * np.logspace(-4, 0, POINTS)[:-1]
        row = facts | {"source": source, "start": well.start + lowest, "loss": losses + lowest}
        found.append(row | {"dim": well.threshold(losses), "error": error(told, well, losses)})
        if source == PREDICTED:
            found.append(row | {"source": BOUND, "dim": bound(well, losses), "error": np.nan})
    return found


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a task and projection: the share of seeds that hit, over loss and d, with what is predicted of it; and the ratio
    of the two, or the share at some losses where nothing is predicted."""
    import matplotlib.pyplot as plt

    parts = grids(table)
    figure, axes = plt.subplots(len(parts), 2, figsize=(13, 4.6 * len(parts)), squeeze=False, layout="constrained")
    for (name, rows, curves), (left, right) in zip(parts, axes, strict=True):
        found = thresholds(rows, curves)
        draw_hits(rows, curves, found, left)
        if len(curves):
            draw_ratios(found, right)
        else:
            draw_shares(rows, found, right)
        left.set_title(fill(name, WORDS), loc="left", fontsize="medium")
    return figure


def grids(table: "pd.DataFrame") -> "list[tuple[str, pd.DataFrame, pd.DataFrame]]":
    """What was measured of each task and projection, and what was predicted of it."""
    found = []
    if "projection" not in table:
        raise Refusal("no run in a subspace is among these: give those of several sizes, e.g. of rl.grid")
    for name, part in table.groupby("task", sort=False):
        for kind, rows in part[part["source"] == MEASURED].groupby("projection", sort=False):
            curves = part[(part["source"] != MEASURED) & bool(rows["uniform"].all())]
            found.append((f"{name}: {kind}", rows, curves))
    return found


def mean_curve(curves: "pd.DataFrame", source: str) -> tuple[np.ndarray, np.ndarray]:
    """Loss and d of a source, the mean over seeds at each point of the curve."""
    part = curves[curves["source"] == source]
    held = part.assign(point=part.groupby(["run", "seed"]).cumcount()).groupby("point")[["loss", "dim"]].mean()
    return held["loss"].to_numpy(), held["dim"].to_numpy()


def at(curves: "pd.DataFrame", source: str, loss: float) -> float:
    """d of a predicted curve at a loss: straight in logs, no number beyond its ends."""
    losses, dims = mean_curve(curves, source)
    if not len(losses) or not losses[0] <= loss <= losses[-1]:
        return float("nan")
    return float(np.exp(np.interp(np.log(loss), np.log(losses), np.log(dims))))


def thresholds(rows: "pd.DataFrame", curves: "pd.DataFrame") -> "pd.DataFrame":
    """At losses that some sizes reach and others do not: measured threshold, its interval, and what is predicted."""
    import pandas as pd

    medians, asked = rows.groupby("dim")["loss"].median(), rows["asked"].iloc[0]
    several = np.geomspace(medians.min() * 1.02, medians.max() / 1.02, ASKED)
    found = []
    for loss in ([asked] if asked else several)[: ASKED if len(medians) > 1 else 0]:
        value, low, high = threshold(rows, loss)
        told = {source: at(curves, source, loss) for source in LOOKS}
        found.append({"loss": loss, "dim": value, "low": low, "high": high} | told)
    return pd.DataFrame(found, columns=["loss", "dim", "low", "high", *LOOKS], dtype=float)


def draw_hits(rows: "pd.DataFrame", curves: "pd.DataFrame", told: "pd.DataFrame", axes: "Axes") -> None:
    losses = np.geomspace(rows["loss"].min() / 1.1, rows["loss"].max() * 1.1, LOSSES)
    shares = np.array([(rows["loss"] <= loss).groupby(rows["dim"]).mean() for loss in losses])
    dims = np.sort(rows["dim"].unique())
    picture = axes.pcolormesh(dims, losses, shares, cmap="Greys", vmin=0, vmax=1, shading="nearest", alpha=0.8)
    axes.figure.colorbar(picture, ax=axes, label=f"share of {rows['seed'].nunique()} seeds that hit")
    for source, (colour, look) in LOOKS.items() if len(curves) else ():
        loss, dim = mean_curve(curves, source)
        axes.plot(dim, loss, look, color=colour, label=source)
    finite = told[np.isfinite(told["high"]) & (told["low"] > 0) & told["dim"].between(dims.min(), dims.max())]
    reach = [finite["dim"] - finite["low"], finite["high"] - finite["dim"]]
    dots: dict[str, Any] = {"fmt": "o", "color": "tab:blue", "label": "half hit [95 %]"}
    if len(finite):
        axes.errorbar(finite["dim"], finite["loss"], xerr=np.maximum(reach, 0), **dots)
    axes.set(xscale="log", yscale="log", xlabel="coordinates d", ylabel="training loss")
    axes.set(xlim=(dims.min() * 0.8, dims.max() * 1.25), ylim=(losses[0], losses[-1]))
    plain_log_ticks(axes.xaxis)
    plain_log_ticks(axes.yaxis)
    if len(curves) or len(finite):
        axes.legend(fontsize="small", loc="lower left")


def draw_shares(rows: "pd.DataFrame", told: "pd.DataFrame", axes: "Axes") -> None:
    for place, loss in enumerate(told["loss"]):
        found = hits(rows, loss)
        reach = np.maximum([found["share"] - found["low"], found["high"] - found["share"]], 0)
        look: dict[str, Any] = {"fmt": "o-", "capsize": 2, "label": f"{loss:.3g}"}
        axes.errorbar(found["dim"] * (1 + 0.03 * place), found["share"], yerr=reach, **look)
    axes.set(xscale="log", ylim=(-0.02, 1.02), xlabel="coordinates d", ylabel="share of seeds that hit")
    plain_log_ticks(axes.xaxis)
    axes.grid(alpha=0.3)
    if len(told):
        legend_beside(axes, "training loss\n[95 %, Wilson]")


def draw_ratios(told: "pd.DataFrame", axes: "Axes") -> None:
    if told[list(LOOKS)].isna().all(axis=None):
        axes.set_axis_off()
        return
    for source, (colour, look) in LOOKS.items():
        axes.plot(told["loss"], told[source] / told["dim"], f"o{look}", color=colour, label=source)
    axes.axhline(1, color="0.5", linestyle=":")
    axes.set(xscale="log", yscale="log", xlabel="training loss", ylabel="predicted d / measured d")
    plain_log_ticks(axes.xaxis)
    plain_log_ticks(axes.yaxis)
    axes.grid(alpha=0.3)
    legend_beside(axes, "")


def headline(table: "pd.DataFrame") -> str:
    """Measured and predicted thresholds of each grid."""
    return " ".join(f"{name}: {summary(rows, curves)}." for name, rows, curves in grids(table))


def summary(rows: "pd.DataFrame", curves: "pd.DataFrame") -> str:
    ends = rows["dim"].min(), rows["dim"].max()
    found = thresholds(rows, curves).to_dict("records")
    return "; ".join(told(row, *ends) for row in found) or "one size alone has no threshold"


def told(row: "dict[Any, Any]", least: float, most: float) -> str:
    """One threshold, or on which side of the sizes it lies, beside what is predicted of it."""
    dim, loss = row["dim"], f"loss {row['loss']:.3g}"
    if np.isnan(dim):
        return f"loss {row['loss']:.3g} is not reached more often with more coordinates, and has no threshold"
    if not 0 < dim < np.inf:
        return f"{loss} is reached by {'no' if dim else 'every'} run, and has no threshold"
    if not least <= dim <= most:
        return f"{loss} {f'below d = {least:.0f}' if dim < least else f'above d = {most:.0f}'}"
    near = ", ".join(f"{source} {row[source]:.0f}" for source in LOOKS if np.isfinite(row[source]))
    return f"{loss} at d = {dim:.0f} [{row['low']:.0f}, {row['high']:.0f}]{f' ({near})' if near else ''}"
