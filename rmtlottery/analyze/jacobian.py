"""How far is each ticket's Jacobian from an isometry, and which theory gives its spectrum?

Two Jacobians in float64 at test inputs: `whole`, of the logits in the inputs, and `hidden`, of the last hidden
pre-activation in the first. All numbers are of squared singular values, one a row: `mean`, `variance` (m2/m1^2 - 1),
`edge` (the largest), `zeros` (their share). `isometry` is |J - U|_F / sqrt(rows) for the nearest U whose singular values
are all 1, 0 under dynamical isometry; `anisotropy` the same for the nearest multiple of such a U, over |J|_F: what no
rescaling mends. Measured numbers are means over inputs, and `_low` to `_high` hold nine tenths of these. `share` is per
decade, in bins of `log10`, of all inputs together. Sources: "nominal" is free probability with the sigmas of the init and
the lengths that the length map gives; "own sizes" with each layer's measured sigma_w (zeros included) and length, as if
its weights were independent; "masked moments" is exact for random masks and independent weights, and has mean and
variance alone; "own spectra" multiplies the layers' measured spectra as free matrices, so that only what their singular
directions share is left out. Theory is for fully connected chains. A Jacobian of more than `largest` numbers on its
shorter side is not formed: stochastic Lanczos quadrature at four inputs tells its upper half.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rmtlottery.analyze._products import MASKED, NOMINAL, SIZES, SPECTRA, Law, Span, theories
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
from rmtlottery.analyze._style import (
    density_axis,
    interval,
    legend_beside,
    mean_density,
    panel_name,
    percent,
    plain_log_ticks,
    seeds_words,
    spread,
)
from rmtlottery.measure.jacobian import between, doubled, jacobians, singular_values
from rmtlottery.measure.lanczos import jacobian_products, lanczos_quadrature
from rmtlottery.measure.signal import Probe, probe
from rmtlottery.tickets.parts import FC
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
NETS = ("fc", "conv")
MEASURED = "measured"
SOURCES = [MEASURED, NOMINAL, SIZES, SPECTRA]
LANCZOS, PROBES, STEPS = 4, 4, 60
Spectrum = tuple[np.ndarray, np.ndarray]


def table(ticket: Ticket, *, samples: int = 32, bins: int = 50, largest: int = 1024) -> "pd.DataFrame":
    """Columns: state, span, source, bin, log10, share, mean, variance, edge, zeros, isometry, anisotropy, inputs."""
    import pandas as pd

    seen, edges = probe(ticket, samples), log_bins(bins)
    layers = len(seen.network.layers)
    spans = [Span("whole", 0, layers)] + [Span("hidden", 1, layers - 1)] * (layers > 2)
    frames = []
    for state, weights in ticket.states.items():
        for span in spans:
            numbers = generator(ticket.seed or 0, "jacobian", ticket.level, state, span.name)
            found = [measured(weights, seen, span, edges, largest, numbers)]
            if ticket.spec and isinstance(ticket.spec.net, FC):
                found += [predicted(source, law, edges) for source, law in theories(ticket, weights, seen, span)]
            frames += [pd.DataFrame({"state": state, "span": span.name, "inputs": seen.words} | row) for row in found]
    return pd.concat(frames, ignore_index=True)


def measured(
    weights: Weights, seen: Probe, span: Span, edges: np.ndarray, largest: int, numbers: np.random.Generator
) -> dict[str, Any]:
    sides = sizes(weights, seen, span)
    spectra = by_products(weights, seen, span, numbers) if min(sides) > largest else whole(weights, seen, span)
    told = over_inputs([moments(*spectrum) for spectrum in spectra])
    squares, shares = (np.concatenate(parts) for parts in zip(*spectra, strict=True))
    words = f"the first {len(spectra)} of {seen.words}" if len(spectra) < len(seen.x) else seen.words
    return columns(MEASURED, edges, histogram(squares, shares, edges)) | told | {"inputs": words}


def sizes(weights: Weights, seen: Probe, span: Span) -> tuple[int, int]:
    """Rows and columns of the Jacobian."""
    with torch.no_grad():
        made = seen.network.preactivations(weights, seen.x[:1])
    return made[span.last - 1].numel(), made[span.first - 1].numel() if span.first else seen.x[0].numel()


def whole(weights: Weights, seen: Probe, span: Span) -> list[Spectrum]:
    """All squared singular values at each input, those of the rows that are beyond the columns 0."""
    found = jacobians(seen.network, weights, seen.x, span.first, span.last)
    squares = over_rows(singular_values(found).square().cpu().numpy(), found.shape[1])
    return [(one, np.full(len(one), 1 / len(one))) for one in squares]


def by_products(weights: Weights, seen: Probe, span: Span, numbers: np.random.Generator) -> list[Spectrum]:
    """Nodes and weights of a quadrature, at a few inputs."""
    exact, rows = doubled(weights, seen.x), sizes(weights, seen, span)[0]
    before, through = between(seen.network, exact, 0, span.first), between(seen.network, exact, span.first, span.last)
    spectra = []
    for x in seen.x[:LANCZOS].double().split(1):
        product, side = jacobian_products(through, before(x).detach())
        nodes, shares = lanczos_quadrature(product, side, PROBES, STEPS, numbers)
        nodes = np.where(nodes > side * np.finfo(float).eps * nodes.max(), nodes, 0.0)
        spectra.append((np.append(nodes, 0.0), np.append(shares * side / rows, 1 - side / rows)))
    return spectra


def predicted(source: str, law: Law, edges: np.ndarray) -> dict[str, Any]:
    """The columns of a law; of one that is known by two moments, these."""
    if isinstance(law, tuple):
        return {"source": source, "bin": [0], "mean": law[0], "variance": law[1]}
    return columns(source, edges, law_histogram(law.cdf, edges)) | law_moments(law)


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a state: the spectrum at both ends, relative variance by each theory, and the distance from an isometry."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    parts, levels = list(rows.groupby(["run", "state"])), spread(sorted(rows["level"].unique()), 2)
    size = (4.6 * (len(levels) + 2) + 2, 4 * len(parts))
    figure, axes = plt.subplots(len(parts), len(levels) + 2, figsize=size, squeeze=False, layout="constrained")
    for ((run, state), part), line in zip(parts, axes, strict=True):
        name, span = panel_name(rows, run, state), deeper(part)
        here = part[part["span"] == span]
        for level, panel in zip(levels, line[:-2], strict=True):
            draw_spectrum(here[here["level"] == level], SOURCES, panel)
            density = percent(rows.loc[rows["level"] == level, "density"].iloc[0])
            panel.set_title(f"{name}: {span}, density {density}")
        draw_variance(here[here["bin"] == 0], line[-2])
        line[-2].set_title(f"{name}: {span}, spread")
        draw_isometry(part[(part["bin"] == 0) & (part["source"] == MEASURED)], line[-1])
        line[-1].set_title(f"{name}: how far from an isometry")
    return figure


def deeper(part: "pd.DataFrame") -> str:
    return "hidden" if "hidden" in set(part["span"]) else "whole"


def draw_variance(cells: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    shown = [source for source in (*SOURCES, MASKED) if source in set(cells["source"])]
    look = {"hue": "source", "hue_order": shown, "style": "source", "style_order": shown, "markers": True}
    density_axis(axes)
    sns.lineplot(cells, x="density", y="variance", errorbar=interval, ax=axes, **look)
    axes.set(ylabel="m2/m1^2 - 1 of squared singular values", yscale="log")
    plain_log_ticks(axes.yaxis)
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(cells["seed"].nunique()))


def draw_isometry(cells: "pd.DataFrame", axes: "Axes") -> None:
    """Both distances of both Jacobians."""
    import seaborn as sns

    kinds = {"isometry": "from an isometry", "anisotropy": "from any multiple of one"}
    long = cells.melt(["seed", "level", "density", "span"], list(kinds), "distance", "value").replace({"distance": kinds})
    density_axis(axes)
    sns.lineplot(long, x="density", y="value", hue="span", style="distance", markers=True, errorbar=interval, ax=axes)
    axes.set(ylabel="|J - U| / sqrt(rows), and over |J|", ylim=(0, None))
    axes.grid(alpha=0.3)
    legend_beside(axes, "Jacobian, distance")


def headline(table: "pd.DataFrame") -> str:
    cells = table[table["bin"] == 0]
    found = "; ".join(f"{run}, {state}: {summary(part)}" for (run, state), part in cells.groupby(["run", "state"]))
    return f"{found} (means over inputs and seeds)."


def summary(part: "pd.DataFrame") -> str:
    """At both ends: measured distance from isometry, and the spread by each theory over the measured one."""
    here, density = part[part["span"] == deeper(part)], part.groupby("level")["density"].mean()
    ends = []
    for level in dict.fromkeys((density.index[0], density.index[-1])):
        cells = here[here["level"] == level].groupby("source")[["variance", "isometry", "anisotropy"]].mean()
        found = cells.loc[MEASURED]
        off = [
            f"{name} x{cells.loc[name, 'variance'] / found['variance']:.2g}"
            for name in (*SOURCES[1:], MASKED)
            if name in cells.index
        ]
        words = f"{found['isometry']:.2f} from an isometry, {found['anisotropy']:.2f} from any multiple of one"
        theory = f", relative variance {found['variance']:.3g} ({', '.join(off)})" if off else ""
        ends.append(f"{words}{theory} at density {density[level]:.1%}")
    return f"the {deeper(part)} Jacobian is {'; '.join(ends)}"
