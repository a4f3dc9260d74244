"""Which layers have more in their spectrum than random weights inside the same mask would?

A layer is the matrix (rows of outputs, columns of all that an output sees; a kernel is unfolded), and its eigenvalues are
those of W W^T on its short side. `null` says how it is redrawn inside its own mask: permuted (its kept weights in other
places), signs, gaussian, or degrees (the mask too, with as many weights in each row and column). Spikes are eigenvalues
beyond what chance gives at a level of 1 %, above `spike_edge`: by the redraws, and where there are none (`redraws` 0, or
a shorter side above `widest`) by Tracy-Widom if that law holds; `test` says which, "none" where neither can tell. `alpha`
is the exponent of a power law fitted above `xmin` and is never to be read alone: `alpha_p` below .1 says that no power
law holds, `null_alpha` is the median over redraws, and 98 % of them lie from `null_low` to `null_high`. `heavy` asks for
both, and for three eigenvalues `beyond` the largest of all redraws. `mp_variance`, `mp_edge`, `mp_ks` and `mp_beyond` are
the variance (of an entry, times columns), the upper edge, the distance and the eigenvalues above it of the
Marchenko-Pastur law of the same mean square. `frobenius` and `spectral` are norms; of eigenvalues as shares of their sum,
`entropy` is over the log of their number, `participation` one over the sum of squares; `effective_rank` is the
exponential of the entropy of singular values, and `hard_rank` counts those above 1e-7 or so of the largest, which is what
a Gram matrix tells from 0. `kurtosis` and `sarle` are of the kept weights, `per_row` is how many a row keeps,
`empty_rows` and `empty_columns` keep none. `operator_low` and `operator_high` bound the norm of a kernel as an operator
of stride 1 on zero padded pictures of side `picture`, where that is not 0. Option `redraws` or `bootstraps` 0 leaves out
what they are for.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rmtlottery.analyze._singular import layer_squares
from rmtlottery.analyze._style import layer_lines, legend_beside, mean_density, panel_name, plain_log_ticks
from rmtlottery.measure.moments import Moments, moments
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.spectra.conv import conv_norm_bounds
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
STEEPEST = 12.0  # what is steeper is drawn there, as an arrow
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
    ticket: Ticket,
    *,
    null: str = "permuted",
    redraws: int = 99,
    bootstraps: int = 100,
    widest: int = 1024,
    picture: int = 0,
) -> "pd.DataFrame":
    """Columns: state, layer, name, source; rows, columns, kept, per_row, empty_rows, empty_columns; norms, ranks, entropy,
    kurtosis, sarle; mp_variance, mp_edge, mp_ks, mp_beyond; spikes, spike_p, spike_edge, test; alpha, xmin, alpha_p,
    null_alpha, null_low, null_high, beyond, heavy; operator_low, operator_high.
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
        | operator(weights[name], picture)
        for state, weights in ticket.states.items()
        for layer, (name, mask) in enumerate(ticket.mask.items(), start=1)
    ]
    return pd.DataFrame(rows)


def of_layer(weight: "torch.Tensor", mask: "torch.Tensor", held: Against, numbers: np.random.Generator) -> dict[str, Any]:
    weight = weight.double() if weight.numel() <= SMALL else weight
    values, shape, places = layer_squares(weight), (len(weight), weight[0].numel()), mask.flatten(1).numpy()
    facts = places_kept(places) | shape_of(values, long_side=max(shape))._asdict()
    kept = moments(weight, mask)
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
    """By the redraws; where there are none, by Tracy-Widom if that may be trusted."""
    if drawn is not None:
        found = spikes_by_null(values, drawn, LEVEL)
    elif tracy_widom_allowed(kept.rows, kept.columns, kept.fourth_powers):
        found = spikes_by_tracy_widom(values, (len(kept.rows), len(kept.columns)), LEVEL)
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
        left.set(title=f"{name}: above the line are spikes", ylabel="largest eigenvalue / edge of chance", yscale="log")
        plain_log_ticks(left.yaxis)
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


def operator(weight: "torch.Tensor", picture: int) -> dict[str, float]:
    """The norm's bounds; of a matrix, of a kernel with three axes of space, and of one whose pictures nobody told, none."""
    told = picture and weight.dim() in (3, 4)
    low, high = conv_norm_bounds(weight.double().numpy(), picture) if told else (np.nan, np.nan)
    return {"operator_low": low, "operator_high": high}


def draw_alphas(part: "pd.DataFrame", axes: "Axes") -> None:
    """Every layer's alpha, full where a power law holds, over what the redraws of all levels span there."""
    band = part.groupby("layer").agg(low=("null_low", "min"), high=("null_high", "max")).dropna()
    axes.fill_between(band.index, band["low"], band["high"], color="grey", alpha=0.25, linewidth=0, step="mid")
    holds, shown = part["alpha_p"] >= PLAUSIBLE, part["alpha"].clip(upper=STEEPEST)
    for rows, face, words in ((holds, "tab:blue", "p >= .1"), (~holds, "none", "no power law,\nor p not asked")):
        for marker, here in (("o", part["alpha"] <= STEEPEST), ("^", part["alpha"] > STEEPEST)):
            chosen = part[rows & here]
            look: dict[str, Any] = {"marker": marker, "facecolor": face, "edgecolor": "tab:blue", "linewidth": 0.8, "s": 18}
            axes.scatter(chosen["layer"], shown[chosen.index], label=words if marker == "o" else None, **look)
    axes.set(xlabel="layer", ylim=(1, 1.05 * max(shown.max(), 2.0) if shown.notna().any() else STEEPEST))
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
    return f"{spikes}, {tails}" + (f"; {left} not tested" if left else "")


def counted(what: str, hits: int, tested: int) -> str:
    return f"{what} in {hits} of {tested} layers tested" if tested else f"{what} tested in no layer"
