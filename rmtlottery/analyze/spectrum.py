"""Which law does each layer's spectrum follow: Marchenko-Pastur, that of its rows and columns, or that of its own mask?

A layer is the matrix (rows of outputs, columns of all that an output sees; a kernel is unfolded). `singular` is the
centre of a bin of its singular values, in units of their root mean square over rows, and `pdf` the density there; `atom`
is the share of exact zeros and `edge` the largest. Three laws, each told more: Marchenko-Pastur knows the shape and the
mean square; the variance profile knows the mean square of every row and every column (independent entries whose variances
are their product); the redraws know the mask, with the kept weights in other places inside it (option `redraws`, how
many; 0 for none, as for layers whose shorter side exceeds `widest`). `ks` is the largest distance between a law's
distribution function and the measured one; `ks` of the redraws, whose mean distribution it is, has their own scatter as
its scale, `ks_scatter`: 95 % of redraws are nearer.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from rmtlottery.analyze._singular import layer_squares
from rmtlottery.analyze._style import (
    density_axis,
    interval,
    legend_beside,
    mean_density,
    panel_name,
    percent,
    seeds_words,
    spread,
)
from rmtlottery.measure.moments import moments
from rmtlottery.refusal import Refusal
from rmtlottery.spectra.distance import ks_distance
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.nulls import null_spectra
from rmtlottery.spectra.variance_profile import VarianceProfile
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURED, MP, PROFILE, REDRAWN = "measured", "Marchenko-Pastur", "rows x columns", "redrawn in the mask"
SOURCES = [MEASURED, MP, PROFILE, REDRAWN]
LOOKS: dict[str, dict[str, Any]] = {
    MEASURED: {"color": "lightgrey", "edgecolor": "grey", "linewidth": 0.3, "label": MEASURED},
    MP: {"color": "tab:red", "linestyle": "--", "label": MP},
    PROFILE: {"color": "tab:blue", "label": PROFILE},
    REDRAWN: {"color": "black", "linestyle": ":", "label": REDRAWN},
}
LEVELS_SHOWN = 3
NEARER = 0.95
REACH = 1.25
Law = Callable[[np.ndarray], np.ndarray]


class Null(NamedTuple):
    """How a layer is redrawn inside its mask: how often, and up to which shorter side."""

    redraws: int
    widest: int


def table(ticket: Ticket, *, bins: int = 40, redraws: int = 20, widest: int = 1024) -> "pd.DataFrame":
    """Columns: state, layer, name, source, bin, singular, pdf, atom, edge, ks, ks_scatter, rows, columns, per_row."""
    import pandas as pd

    if bins < 2 or redraws < 0:
        raise Refusal(f"bins = {bins} is not at least 2, or redraws = {redraws} not at least 0")
    frames = [
        pd.DataFrame({"state": state, "layer": layer, "name": name} | law)
        for state, weights in ticket.states.items()
        for layer, (name, mask) in enumerate(ticket.mask.items(), start=1)
        for law in laws(weights[name], mask, bins, Null(redraws, widest), stream(ticket, state, name))
    ]
    if not frames:
        raise Refusal(f"{ticket} has no weight that is not 0, and no spectrum")
    return pd.concat(frames, ignore_index=True)


def stream(ticket: Ticket, state: str, name: str) -> np.random.Generator:
    """The numbers of a layer's redraws, whichever other layers are asked."""
    return generator(ticket.seed or 0, "redrawn in the mask", ticket.level, state, name)


def laws(
    weight: "torch.Tensor", mask: "torch.Tensor", bins: int, null: Null, numbers: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """The columns of one layer, source by source."""
    m, n = len(weight), weight[0].numel()
    short = layer_squares(weight)
    mean = short.sum() / m
    if not mean > 0:
        return
    values = np.concatenate([np.zeros(max(m - n, 0)), short]) / mean
    plain = MarchenkoPastur(m / n)
    edges = REACH * max(values[-1], plain.edges[1]) ** 0.5 * np.linspace(0, 1, bins + 1)
    facts = {"rows": m, "columns": n, "per_row": int(mask.sum()) / m, "bin": np.arange(bins)}
    held = facts | {"singular": (edges[1:] + edges[:-1]) / 2}
    yield held | binned(MEASURED, empirical(values), edges) | ends(np.mean(values == 0), values[-1], 0.0)
    for source, law in ((MP, plain), (PROFILE, profile_of(weight))):
        yield held | binned(source, law.cdf, edges) | ends(law.atom, law.edges[1], ks_distance(values, law.cdf))
    if null.redraws and min(m, n) <= null.widest:
        drawn = redrawn(weight, mask, null.redraws, numbers)
        whole, top = empirical(np.sort(drawn, axis=None)), drawn[:, -1].mean()
        scatter = np.quantile([apart(drawn, place) for place in range(len(drawn))], NEARER)
        measured = ends(np.mean(drawn == 0), top, ks_distance(values, whole), scatter)
        yield held | binned(REDRAWN, whole, edges) | measured


def apart(drawn: np.ndarray, place: int) -> float:
    """How far one of the redraws is from all others together; of a single one that is not known."""
    others = np.delete(drawn, place, axis=0)
    return ks_distance(drawn[place], empirical(np.sort(others, axis=None))) if len(others) else np.nan


def profile_of(weight: "torch.Tensor") -> VarianceProfile:
    """Independent entries of variances row x column; in units of the mean eigenvalue over rows."""
    held = moments(weight, torch.ones((), dtype=torch.bool).expand(weight.shape))
    rows, columns = held.rows, held.columns
    return VarianceProfile.rank_one(rows * len(rows) / rows.sum(), columns / columns.sum())


def redrawn(weight: "torch.Tensor", mask: "torch.Tensor", redraws: int, numbers: np.random.Generator) -> np.ndarray:
    """The eigenvalues of each redraw, zeros included, ascending, in units of their mean over rows."""
    held, places = weight.flatten(1).double().numpy(), mask.flatten(1).numpy()
    short = null_spectra(held, places, "permuted", redraws, numbers)
    padded = np.concatenate([np.zeros((redraws, max(len(held) - held.shape[1], 0))), short], axis=1)
    return padded / padded.mean(axis=1, keepdims=True)


def empirical(ascending: np.ndarray) -> Law:
    return lambda x: np.searchsorted(ascending, x, "right") / len(ascending)


def binned(source: str, cdf: Law, edges: np.ndarray) -> dict[str, Any]:
    """The density of singular values in each bin, exact zeros in none."""
    return {"source": source, "pdf": np.diff(cdf(edges**2)) / np.diff(edges)}


def ends(atom: float, edge: float, ks: float, scatter: float = np.nan) -> dict[str, float]:
    return {"atom": float(atom), "edge": float(edge) ** 0.5, "ks": float(ks), "ks_scatter": float(scatter)}


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a state: one layer's spectrum at three densities, measured and by each law; then how far each law is."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    parts, levels = list(rows.groupby(["run", "state"])), spread(sorted(rows["level"].unique()), LEVELS_SHOWN)
    size = (4.6 * (len(levels) + 1) + 1, 3.8 * len(parts))
    figure, axes = plt.subplots(len(parts), len(levels) + 1, figsize=size, squeeze=False, layout="constrained")
    for ((run, state), part), line in zip(parts, axes, strict=True):
        layer = shown(part)
        for level, panel in zip(levels, line[:-1], strict=True):
            here = part[(part["level"] == level) & (part["layer"] == layer)]
            draw_density(here, panel)
            if len(here):
                panel.set_title(f"{panel_name(rows, run, state)}: layer {layer}, density {percent(here['density'].iloc[0])}")
        draw_distance(part[part["bin"] == 0], line[-1])
        line[-1].set_title(f"{panel_name(rows, run, state)}: distance from each law")
    return figure


def shown(part: "pd.DataFrame") -> int:
    """The middle layer from hidden to hidden, or the middle of all."""
    layers = sorted(part["layer"].unique())
    inner = layers[1:-1] or layers
    return int(inner[len(inner) // 2])


def draw_density(here: "pd.DataFrame", axes: "Axes") -> None:
    """Bins of the seeds are averaged one by one, place and height."""
    if here.empty:
        return
    for source, look in LOOKS.items():
        curve = here[here["source"] == source].groupby("bin")[["singular", "pdf"]].mean()
        if source == MEASURED:
            width = curve["singular"].iloc[1] - curve["singular"].iloc[0]
            axes.bar(curve["singular"], curve["pdf"], width=width, **look)
        else:
            axes.plot(curve["singular"], curve["pdf"], **look)
    axes.set(xlabel="singular value / root mean square over rows", ylabel="probability density")
    top = here.loc[here["bin"] > 0, "pdf"].max()
    axes.set_ylim(0, 1.1 * top if top > 0 else None)
    axes.grid(alpha=0.3)


def draw_distance(cells: "pd.DataFrame", axes: "Axes") -> None:
    """Means over layers, against density; of one density against layer."""
    import seaborn as sns

    x = "density" if cells["level"].nunique() > 1 else "layer"
    laws = [source for source in SOURCES[1:] if source in set(cells["source"])]
    means = cells[cells["source"] != MEASURED].groupby(["seed", "source", x], as_index=False)[["ks", "ks_scatter"]].mean()
    colours = {source: LOOKS[source]["color"] for source in laws}
    sns.lineplot(means, x=x, y="ks", hue="source", hue_order=laws, palette=colours, marker="o", errorbar=interval, ax=axes)
    scatter = means[means["source"] == REDRAWN].groupby(x)["ks_scatter"].mean()
    if len(scatter):
        axes.fill_between(scatter.index, 0, scatter, color="grey", alpha=0.2, label="scatter of redraws")
    if x == "density":
        density_axis(axes)
    axes.set(ylabel="largest distance between\ndistribution functions", ylim=(0, None))
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(cells["seed"].nunique()))


def headline(table: "pd.DataFrame") -> str:
    """How far each law is, at both ends."""
    cells = table[(table["bin"] == 0) & (table["source"] != MEASURED)]
    found = "; ".join(f"{run}, {state}: {summary(part)}" for (run, state), part in cells.groupby(["run", "state"]))
    return f"Distance of the measured spectrum from each law, mean over layers and seeds: {found}."


def summary(part: "pd.DataFrame") -> str:
    density = part.groupby("level")["density"].mean()
    ends = []
    for level in dict.fromkeys((density.index[0], density.index[-1])):
        far = part[part["level"] == level].groupby("source")["ks"].mean()
        words = ", ".join(f"{source} {far[source]:.3f}" for source in SOURCES[1:] if source in far)
        ends.append(f"{words} at density {density[level]:.1%}")
    return "; ".join(ends)
