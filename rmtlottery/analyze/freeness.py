"""Are a net's layers free of each other, so that their spectra alone give that of their product?

The product is dh^l/dh^1 = W_l D_{l-1} .. W_2 D_1 at test inputs, D the slopes of phi, in float64. Free probability needs
no more than the spectra of the W_l and of the D_l, as measured, if their singular directions have nothing to do with each
other. Source "free product" is what it makes of them; "rotated" is the same net, every W_l turned by random rotations on
both sides, which are free but for the finite width; what "measured" has beyond them is alignment between layers. `mean`
and `variance` are of the squared singular values, the latter m2/m1^2 - 1, `edge` is the largest; `_low` and `_high` bound
nine tenths of the inputs. `anisotropy` is the distance from the nearest multiple of an isometry, of the norm. `share` is
per decade, in bins of `log10` of the squared singular value.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rmtlottery.analyze._products import equal_shares
from rmtlottery.analyze._singular import (
    columns,
    draw_spectrum,
    histogram,
    law_histogram,
    law_moments,
    log_bins,
    moments,
    over_inputs,
    over_rows,
)
from rmtlottery.analyze._style import legend_beside, mean_density, panel_name, percent, seeds_words, spread
from rmtlottery.measure.jacobian import gains, singular_values
from rmtlottery.measure.layers import squared_singular_values
from rmtlottery.measure.signal import probe
from rmtlottery.refusal import Refusal
from rmtlottery.spectra.free_product import Factor, FreeProduct
from rmtlottery.tickets.parts import FC
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
NETS = ("fc",)
MEASURED, FREE, ROTATED = "measured", "free product", "rotated"
SOURCES = [MEASURED, ROTATED, FREE]
STYLES = {MEASURED: "o-", FREE: "--", ROTATED: ":"}
LEVELS_SHOWN = 3
Matrices = list[torch.Tensor]


def table(ticket: Ticket, *, samples: int = 16, bins: int = 50) -> "pd.DataFrame":
    """Columns: state, layer (l), source, bin, log10, share, mean, variance, edge, zeros, isometry, anisotropy, inputs."""
    import pandas as pd

    seen = probe(ticket, samples)
    hidden = len(seen.network.layers) - 1
    if ticket.spec is None or not isinstance(ticket.spec.net, FC) or hidden < 2:
        raise Refusal(f"{ticket} has no two hidden layers that are fully connected, whose product freeness is about")
    edges = log_bins(bins)
    frames = []
    for state, weights in ticket.states.items():
        slopes = [gains(seen.network, weights, seen.x, layer) for layer in range(1, hidden)]
        matrices = [weights[f"fc{layer}.weight"].double() for layer in range(2, hidden + 1)]
        if not all(factor.any() for factor in (*slopes, *matrices)):
            raise Refusal(f"{ticket} has a hidden layer that is 0 when {state}, whose products have no spectrum")
        turned = rotated(matrices, generator(ticket.seed or 0, "rotated", ticket.level, state))
        found = [*multiplied(MEASURED, slopes, matrices, edges), *multiplied(ROTATED, slopes, turned, edges)]
        found += free(slopes, matrices, edges)
        frames += [pd.DataFrame({"state": state} | row) for row in found]
    return pd.concat(frames, ignore_index=True).assign(inputs=seen.words)


def rotated(matrices: Matrices, numbers: np.random.Generator) -> Matrices:
    """Each with random singular directions on both sides."""
    return [haar(len(w), numbers) @ w @ haar(w.shape[1], numbers) for w in matrices]


def haar(side: int, numbers: np.random.Generator) -> torch.Tensor:
    q, r = np.linalg.qr(numbers.standard_normal((side, side)))
    return torch.from_numpy(q * np.sign(np.diag(r)))


def multiplied(source: str, slopes: Matrices, matrices: Matrices, edges: np.ndarray) -> Iterator[dict[str, Any]]:
    """The spectrum of the product after each layer, pooled over the inputs; numbers of each input by itself."""
    product = torch.eye(slopes[0].shape[1], dtype=torch.float64)
    for layer, (slope, weight) in enumerate(zip(slopes, matrices, strict=True), start=2):
        product = weight @ (slope[:, :, None] * product)
        squares = over_rows(singular_values(product).square().numpy(), len(weight))
        told = over_inputs([moments(one, np.ones_like(one)) for one in squares])
        share = histogram(squares.ravel(), np.ones(squares.size), edges)
        yield {"layer": layer} | columns(source, edges, share) | told


def free(slopes: Matrices, matrices: Matrices, edges: np.ndarray) -> Iterator[dict[str, Any]]:
    """What the spectra give by themselves: slopes of all inputs together, and singular values."""
    factors: list[Factor] = []
    for layer, (slope, weight) in enumerate(zip(slopes, matrices, strict=True), start=2):
        pooled, units = equal_shares(slope), slope.shape[1]
        factors += [Factor(pooled, units, units), Factor(squared_singular_values(weight), *weight.shape)]
        law = FreeProduct(factors)
        yield {"layer": layer} | columns(FREE, edges, law_histogram(law.cdf, edges)) | law_moments(law)


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a state. Left: relative variance after each layer at some densities. Right: the whole product's spectrum."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    parts, levels = list(rows.groupby(["run", "state"])), spread(sorted(rows["level"].unique()), LEVELS_SHOWN)
    size = (4.4 * (len(levels) + 1) + 1.5, 3.9 * len(parts))
    figure, axes = plt.subplots(len(parts), len(levels) + 1, figsize=size, squeeze=False, layout="constrained")
    for ((run, state), part), line in zip(parts, axes, strict=True):
        name = panel_name(rows, run, state)
        draw_variance(part[part["bin"] == 0], levels, line[0])
        line[0].set_title(f"{name}: spread of the product")
        deepest = part[part["layer"] == part["layer"].max()]
        for level, panel in zip(levels, line[1:], strict=True):
            here = deepest[deepest["level"] == level]
            draw_spectrum(here, SOURCES, panel)
            if len(here):
                density = percent(here["density"].iloc[0])
                panel.set_title(f"{name}: dh^{here['layer'].iloc[0]}/dh^1, density {density}")
        legend_beside(line[-1], seeds_words(part["seed"].nunique()))
    return figure


def draw_variance(cells: "pd.DataFrame", levels: list[int], axes: "Axes") -> None:
    """Measured full, free dashed, rotated dotted; one colour a density."""
    from matplotlib import colormaps

    for place, level in enumerate(levels):
        here = cells[cells["level"] == level]
        if here.empty:
            continue
        colour = colormaps["viridis"](place / max(len(levels) - 1, 1))
        for source, style in STYLES.items():
            mean = here[here["source"] == source].groupby("layer")["variance"].mean()
            words = percent(here["density"].iloc[0]) if source == MEASURED else None
            axes.plot(mean.index, mean, style, color=colour, label=words)
    axes.set(xlabel="l of dh^l/dh^1", ylabel="m2/m1^2 - 1 of squared singular values", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(title="density (dashed free,\ndotted rotated)", fontsize=8, title_fontsize=8)


def headline(table: "pd.DataFrame") -> str:
    found = "; ".join(f"{run}, {state}: {summary(part)}" for (run, state), part in table.groupby(["run", "state"]))
    return f"Relative variance of the squared singular values of the whole product, mean over seeds: {found}."


def summary(part: "pd.DataFrame") -> str:
    """At both ends, measured, rotated, and by the free product."""
    deepest = part[(part["layer"] == part["layer"].max()) & (part["bin"] == 0)]
    density, ends = part.groupby("level")["density"].mean(), []
    for level in dict.fromkeys((density.index[0], density.index[-1])):
        spreads = deepest[deepest["level"] == level].groupby("source")["variance"].mean()
        words = ", ".join(f"{source} {spreads[source]:.3g}" for source in SOURCES)
        ends.append(f"{words} at density {density[level]:.1%}")
    return "; ".join(ends)
