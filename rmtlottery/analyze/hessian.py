"""How is the loss curved about a ticket's weights, and along which curvatures did training go?

The Hessian of the training loss and its Gauss-Newton part, J^T (d^2 loss / d logits^2) J, of what a ticket kept, on the
first `samples` training samples (0: all). `eigenvalues` is how many eigenvalues are at least `curvature`, by stochastic
Lanczos quadrature, `probes` of `steps` steps; `displacement` is the share of |w_0 - w*|^2 along eigenvectors of these, by a
Lanczos run from it, w* the trained weights and w_0 those that training began with. `above` is told at curvatures that fall
by decades from the largest. `lowest` is the least node found, and `negative` the share of eigenvalues that are below
-1e-2 of the largest: where these are, w* is no minimum.
"""

from typing import TYPE_CHECKING

import numpy as np

from rmtlottery.analyze._style import interval, legend_beside, mean_words, panel_name, percent, seeds_words, spread
from rmtlottery.measure.hessian import Spectra, landscape, spectra
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
DECADES, A_DECADE = 6, 8
TOLERANCE = 1e-2
KINDS = ("gauss_newton", "hessian")
LEVELS_SHOWN = 4


def table(ticket: Ticket, *, samples: int = 1000, probes: int = 4, steps: int = 40) -> "pd.DataFrame":
    """Columns: state, source (hessian, gauss_newton), curvature, eigenvalues, displacement, largest, lowest, negative,
    trace, loss, ambient, samples."""
    import pandas as pd

    if not ticket.metrics:
        raise Refusal(f"{ticket} was not trained, and went nowhere; train it first")
    if min(probes, steps) < 1:
        raise Refusal(f"probes = {probes}, steps = {steps}: each is at least 1")
    seen = landscape(ticket, ticket.weights, samples)
    moved = seen.vector(ticket.rewound) - seen.at
    facts = {"state": "trained", "loss": seen.value(seen.at), "ambient": len(seen.at), "samples": len(seen.split.y)}
    frames = []
    for kind in KINDS:
        numbers = generator(ticket.seed or 0, "hessian", kind, ticket.level)
        found = spectra(getattr(seen, kind), moved, probes, steps, numbers)
        frames.append(pd.DataFrame(facts | {"source": kind} | counted(found)))
    return pd.concat(frames, ignore_index=True)


def counted(found: Spectra) -> dict[str, object]:
    nodes, shares = (np.concatenate(parts) for parts in zip(*found.probes, strict=True))
    counts = shares * found.ambient / len(found.probes)
    at = nodes.max() * np.logspace(0, -DECADES, DECADES * A_DECADE + 1)
    return {
        "curvature": at,
        "eigenvalues": [counts[nodes >= value].sum() for value in at],
        "displacement": [found.along[1][found.along[0] >= value].sum() for value in at],
        "largest": nodes.max(),
        "lowest": found.lowest,
        "negative": found.negative(TOLERANCE),
        "trace": nodes @ counts,
    }


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a run and matrix: eigenvalues above a curvature, and the share of the displacement along these."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    parts = list(table.groupby(["run", "source"], sort=False))
    figure, axes = plt.subplots(len(parts), 2, figsize=(13, 4 * len(parts)), squeeze=False, layout="constrained")
    for ((run, source), part), line in zip(parts, axes, strict=True):
        shown = part[part["level"].isin(spread(sorted(part["level"].unique()), LEVELS_SHOWN))]
        shown = shown.assign(relative=shown["curvature"] / shown["largest"], kept=shown["density"].map(percent))
        look = {"hue": "kept", "errorbar": interval, "palette": "viridis", "legend": False}
        for panel, column in zip(line, ("eigenvalues", "displacement"), strict=True):
            sns.lineplot(shown, x="relative", y=column, ax=panel, **look)
            panel.set(xscale="log", xlabel="curvature / largest")
            panel.invert_xaxis()
            panel.grid(alpha=0.3)
        line[0].set(yscale="log", ylim=(0.5, None), ylabel="eigenvalues above it", title=f"{panel_name(table, run, source)}")
        kept = shown["kept"].unique().tolist()
        lines = [plt.Line2D([], [], color=hue) for hue in sns.color_palette("viridis", len(kept))]
        legend_beside(line[1], f"density\n{seeds_words(part['seed'].nunique())}", lines, kept)
        line[1].set(ylim=(0, 1.02), ylabel="share of |w_0 - w*|^2 along these", title="displacement")
    return figure


def headline(table: "pd.DataFrame") -> str:
    """The largest curvature, what is above a hundredth of it, and what is negative, at both ends."""
    return f"{'; '.join(words(run, part) for run, part in table.groupby('run', sort=False))}."


def words(run: object, part: "pd.DataFrame") -> str:
    ends = dict.fromkeys((part["level"].min(), part["level"].max()))
    return f"{run}: {'; '.join(told(part[part['level'] == level]) for level in ends)}"


def told(here: "pd.DataFrame") -> str:
    newton = here[here["source"] == "gauss_newton"]
    near = newton[np.isclose(newton["curvature"] / newton["largest"], 0.01)]
    negative = here.loc[here["source"] == "hessian"].groupby("seed")["negative"].first()
    many = f"{mean_words(near['eigenvalues'], '.0f')} of {here['ambient'].iloc[0]:,} eigenvalues above a hundredth of it"
    return (
        f"density {percent(here['density'].mean())}: largest curvature {mean_words(near['largest'], '.3g')}, {many}, with "
        f"{mean_words(near['displacement'], '.1%')} of the displacement; "
        f"in the Hessian {mean_words(negative, '.1%')} are below -{TOLERANCE:.0%} of it"
    )
