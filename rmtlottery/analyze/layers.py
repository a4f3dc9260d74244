"""Which layers have more in their spectrum than random weights inside the same mask would?

A layer is the matrix (rows of outputs, columns of all that an output sees; a kernel is unfolded), and its eigenvalues are
those of W W^T. `null` says how it is redrawn inside its own mask: permuted (its kept weights in other places), signs,
gaussian, or degrees (the mask too, with the weights that each row and column keeps). Spikes are eigenvalues beyond what
chance gives at a level of 1 %: by Tracy-Widom where that law holds, else by the redraws; `test` says which, and "none"
where neither can tell, as in a sparse layer too wide to be redrawn (`widest`, the shorter side). `alpha` is the exponent
of a power law fitted above `xmin` and is never to be read alone: `alpha_p` below .1 says that no power law holds, and
`null_low` to `null_high` is where 98 % of redraws put it. `heavy` asks for both, and for three eigenvalues beyond the
largest of all redraws. `mp_ks` is the distance from Marchenko-Pastur of the same mean. `kurtosis` and `sarle` are of the
kept weights. `per_row` is how many a row keeps: with few of them no law of large matrices holds. Option `redraws` or
`bootstraps` 0 leaves out what they are for.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rmtlottery.analyze._singular import layer_squares
from rmtlottery.analyze._style import layer_lines, legend_beside, mean_density, panel_name
from rmtlottery.measure.moments import Moments, moments
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.spectra.marchenko_pastur_fit import fit_marchenko_pastur
from rmtlottery.spectra.nulls import NULLS, null_spectra
from rmtlottery.spectra.power_law import fit_power_law
from rmtlottery.spectra.shape import shape_of
from rmtlottery.spectra.spikes import spikes_by_null, spikes_by_tracy_widom, tracy_widom_allowed
from rmtlottery.spectra.tails import read_tail
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVEL = 0.01
PLAUSIBLE = 0.1
NO_TEST = "none"
TAIL = ("alpha", "xmin", "alpha_p", "null_alpha", "null_low", "null_high", "beyond", "heavy")
BULK = ("mp_variance", "mp_edge", "mp_ks", "mp_beyond", "spikes", "spike_p", "spike_edge")
OF_ZEROS = dict.fromkeys((*BULK, "test", *TAIL), np.nan) | {"test": NO_TEST, "heavy": False}
SMALL = 2**22  # numbers that are taken to float64 once and held


class Against(NamedTuple):
    """What a layer is held against: redraws of one kind, how many and up to which shorter side, and bootstraps of a fit."""

    null: str
    redraws: int
    bootstraps: int
    widest: int


def table(
    ticket: Ticket, *, null: str = "permuted", redraws: int = 99, bootstraps: int = 100, widest: int = 1024
) -> "pd.DataFrame":
    """Columns: state, layer, name, source; rows, columns, kept, per_row, empty_rows, empty_columns; norms, ranks, entropy,
    kurtosis, sarle; mp_variance, mp_edge, mp_ks, mp_beyond; spikes, spike_p, spike_edge, test; alpha, xmin, alpha_p,
    null_alpha, null_low, null_high, beyond, heavy.
    """
    import pandas as pd

    if null not in NULLS:
        raise unknown("null", null, NULLS)
    if min(redraws, bootstraps) < 0 or 0 < redraws < 1 / LEVEL - 1:
        raise Refusal(
            f"redraws = {redraws}, bootstraps = {bootstraps}: take none, or at least 99 redraws, at a level of 1 %"
        )
    held = Against(null, redraws, bootstraps, widest)
    rows = [
        {"state": state, "layer": layer, "name": name, "source": "measured"}
        | of_layer(weights[name], mask, held, generator(ticket.seed or 0, "null", null, ticket.level, state, name))
        for state, weights in ticket.states.items()
        for layer, (name, mask) in enumerate(ticket.mask.items(), start=1)
    ]
    return pd.DataFrame(rows)


def of_layer(weight: "torch.Tensor", mask: "torch.Tensor", held: Against, numbers: np.random.Generator) -> dict[str, Any]:
    weight = weight.double() if weight.numel() <= SMALL else weight
    values, shape, places = layer_squares(weight), (len(weight), weight[0].numel()), mask.flatten(1).numpy()
    facts = places_kept(places) | shape_of(values, long_side=max(shape))._asdict()
    kept = moments(weight, facts["kept"])
    facts |= {"kurtosis": kept.kurtosis, "sarle": kept.sarle}
    if not values[-1] > 0:
        return facts | OF_ZEROS
    drawn = None
    if held.redraws and min(shape) <= held.widest:
        drawn = null_spectra(weight.flatten(1).double().numpy(), places, held.null, held.redraws, numbers)
    facts |= marchenko_pastur(values, shape) | spiked(values, kept, drawn)
    return facts | tailed(values, drawn, held.bootstraps)


def places_kept(mask: np.ndarray) -> dict[str, Any]:
    kept = int(mask.sum())
    empty = {"empty_rows": int((~mask.any(1)).sum()), "empty_columns": int((~mask.any(0)).sum())}
    return {"rows": len(mask), "columns": mask.shape[1], "kept": kept, "per_row": kept / len(mask)} | empty


def marchenko_pastur(values: np.ndarray, shape: tuple[int, int]) -> dict[str, float]:
    """The law of the same mean square: variance (of an entry, times columns), upper edge, distance, eigenvalues beyond."""
    fit = fit_marchenko_pastur(values, shape)
    return {"mp_variance": fit.law.variance, "mp_edge": fit.law.edges[1], "mp_ks": fit.ks, "mp_beyond": fit.beyond}


def spiked(values: np.ndarray, kept: Moments, drawn: np.ndarray | None) -> dict[str, Any]:
    """By Tracy-Widom where it may be trusted, else by the redraws."""
    if tracy_widom_allowed(kept.rows, kept.columns, kept.fourth_powers):
        found = spikes_by_tracy_widom(values, (len(kept.rows), len(kept.columns)), LEVEL)
    elif drawn is not None:
        found = spikes_by_null(values, drawn, LEVEL)
    else:
        return {"spikes": np.nan, "spike_p": np.nan, "spike_edge": np.nan, "test": NO_TEST}
    return {"spikes": found.count, "spike_p": found.p_value, "spike_edge": found.edge, "test": found.test}


def tailed(values: np.ndarray, drawn: np.ndarray | None, bootstraps: int) -> dict[str, Any]:
    """A power law with its p-value, and the same fit of the redraws; nothing where there are too few eigenvalues for one."""
    try:
        if drawn is None:
            fit = fit_power_law(values, bootstraps=bootstraps)
            return dict(zip(TAIL, (fit.alpha, fit.xmin, fit.p_value, *[np.nan] * 4, False), strict=True))
        tail = read_tail(values, drawn, bootstraps=bootstraps)
    except ValueError:
        return dict(zip(TAIL, [np.nan] * 7 + [False], strict=True))
    told = (tail.alpha, tail.xmin, tail.p_value, tail.null_alpha, tail.null_low, tail.null_high, tail.beyond, tail.heavy)
    return dict(zip(TAIL, told, strict=True))


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a state: the largest eigenvalue over the edge of chance, alpha beside that of redraws, stable rank."""
    import matplotlib.pyplot as plt

    rows = mean_density(table).assign(largest=table["spectral"] ** 2 / table["spike_edge"])
    parts = list(rows.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 3, figsize=(17, 4 * len(parts)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, middle, right) in zip(parts, axes, strict=True):
        name = panel_name(rows, run, state)
        by_layer(part, left, "largest")
        left.axhline(1, color="black", linewidth=1)
        left.set(
            title=f"{name}: above the line are spikes", ylabel="largest eigenvalue / edge of chance (1 %)", yscale="log"
        )
        draw_alphas(part, middle)
        middle.set(title=f"{name}: power law, and that of redraws (grey)", ylabel="alpha")
        by_layer(part, right, "stable_rank")
        right.set(title=f"{name}: directions", ylabel="stable rank, |W|_F^2 / largest eigenvalue", ylim=(0, None))
    return figure


def by_layer(part: "pd.DataFrame", axes: "Axes", y: str) -> None:
    if part[y].notna().any():
        layer_lines(part, axes, y)
    else:
        axes.set(xlabel="layer")


def draw_alphas(part: "pd.DataFrame", axes: "Axes") -> None:
    """Every layer's alpha, full where a power law holds, over what the redraws of all levels span there."""
    band = part.groupby("layer").agg(low=("null_low", "min"), high=("null_high", "max")).dropna()
    axes.fill_between(band.index, band["low"], band["high"], color="grey", alpha=0.25, linewidth=0, step="mid")
    holds = part["alpha_p"] >= PLAUSIBLE
    for rows, face, words in ((part[holds], "tab:blue", "p >= .1"), (part[~holds], "none", "no power law,\nor p not asked")):
        axes.scatter(rows["layer"], rows["alpha"], s=18, facecolor=face, edgecolor="tab:blue", label=words, linewidth=0.8)
    axes.set(xlabel="layer", ylim=(1, min(12.0, 1.05 * max(part["alpha"].max(), 2.0))))
    axes.grid(alpha=0.3)
    legend_beside(axes, "fit")


def headline(table: "pd.DataFrame") -> str:
    found = "; ".join(f"{run}, {state}: {summary(part)}" for (run, state), part in table.groupby(["run", "state"]))
    return f"{found}."


def summary(part: "pd.DataFrame") -> str:
    """How many layers have spikes and heavy tails, and how many were not, or could not be, tested."""
    tested, asked = part[part["test"] != NO_TEST], part[part["null_alpha"].notna() & part["alpha_p"].notna()]
    spikes = counted("spikes at a level of 1 %", (tested["spikes"] > 0).sum(), len(tested))
    tails = counted("a heavy tail", asked["heavy"].sum(), len(asked))
    left = len(part) - len(tested)
    return f"{spikes}, {tails}" + (f"; {left} need redraws, and had none" if left else "")


def counted(what: str, hits: int, tested: int) -> str:
    return f"{what} in {hits} of {tested} layers tested" if tested else f"{what} tested in no layer"
