"""Do nets that train along random directions of their own go different ways?

Asked of runs in subspaces that began at the same weights, each with another `draw`, and of each two of the first `most` of
them. After every step that all recorded: the `cosine` of the two displacements from the start, and `within`, the share of
one's square that lies in the other's subspace. Once: the `mean` and the `largest` squared cosine of the principal angles
between the two subspaces. Values are means over pairs, `scatter` their standard deviation. Predicted for uniformly random
subspaces are d/D for `within` and `mean` and, but for axes, 4 d/D (1 - d/D) for `largest`; the cosine is 0, give or take
D^(-1/2), of paths that know nothing of each other, and `rl.width.path_cosine` of one gradient down the coordinates of both,
or of its signs alone, as in Adam's first step.
"""

from collections.abc import Iterator
from itertools import combinations, permutations
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._sharing import several
from rmtlottery.analyze._style import legend_beside, plain_log_ticks
from rmtlottery.measure.paths import basis, cosine, course, share_within, squared_cosines
from rmtlottery.measure.stored import Stored
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.width import largest_shared, path_cosine, shared_energy

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "what training recorded"
OF_SUBNETS = True
CHARTS = ("affine",)
MEASURED, UNIFORM = "measured", "uniform subspaces"
UNRELATED, ONE_GRADIENT, SIGNS = "unrelated paths", "one gradient", "signs of one gradient"
WORDS = 110  # of a line of a title
Tensors = list["torch.Tensor"]


def table(tickets: list[Ticket], *, most: int = 8) -> "pd.DataFrame":
    """Columns: arm, quantity (cosine, within, mean, largest), step, value, scatter, dim, ambient, source."""
    import pandas as pd

    if most < 2:
        raise Refusal(f"most = {most} subnets have no pair: take 2 or more")
    found = []
    for name, held in several(tickets).items():
        stored = Stored.of(held[:most])
        bases = [basis(each) for each in stored.maps]
        courses = [course(ticket) for ticket in held[:most]]
        rows = [*of_paths(stored, bases, courses), *of_subspaces(stored, bases)]
        found.append(pd.DataFrame(rows).assign(arm=name))
    return pd.concat(found, ignore_index=True)


def of_paths(stored: Stored, bases: Tensors, courses: "list[dict[int, torch.Tensor]]") -> Iterator[dict[str, Any]]:
    facts, law = place(stored), stored.maps[0].law
    size = facts["dim"], facts["ambient"]
    share, whole, signs = shared_energy(*size), path_cosine(*size, law=law), path_cosine(*size, law=law, signs=True)
    pairs = list(permutations(range(len(bases)), 2))
    for step in sorted(set.intersection(*map(set, courses))):
        moved = [held[step] for held in courses]
        yield facts | told("cosine", step, [cosine(moved[j], moved[k]) for j, k in pairs if j < k])
        yield facts | told("within", step, [share_within(moved[j], bases[k]) for j, k in pairs])
        yield facts | expected("cosine", step, 0.0, UNRELATED) | {"scatter": facts["ambient"] ** -0.5}
        yield facts | expected("cosine", step, float(whole), ONE_GRADIENT)
        yield facts | expected("cosine", step, float(signs), SIGNS)
        yield facts | expected("within", step, float(share), UNIFORM)


def of_subspaces(stored: Stored, bases: Tensors) -> Iterator[dict[str, Any]]:
    facts, along_axes = place(stored), stored.maps[0].law == "axes"
    angles = [squared_cosines(bases[j], bases[k]) for j, k in combinations(range(len(bases)), 2)]
    laws = {"mean": shared_energy, "largest": largest_shared}
    values = {"mean": [float(held.mean()) for held in angles], "largest": [float(held[0]) for held in angles]}
    for quantity, law in laws.items():
        yield facts | told(quantity, 0, values[quantity])
        if not (quantity == "largest" and along_axes):  # which is 1 or 0
            yield facts | expected(quantity, 0, float(law(facts["dim"], facts["ambient"])), UNIFORM)


def place(stored: Stored) -> dict[str, Any]:
    return {"dim": stored.maps[0].dim, "ambient": len(stored.start)}


def told(quantity: str, step: int, values: list[float]) -> dict[str, Any]:
    spread = np.std(values, ddof=1) if len(values) > 1 else np.nan
    return {"quantity": quantity, "step": step, "value": np.mean(values), "scatter": spread, "source": MEASURED}


def expected(quantity: str, step: int, value: float, source: str) -> dict[str, Any]:
    return {"quantity": quantity, "step": step, "value": value, "scatter": np.nan, "source": source}


def plot(table: "pd.DataFrame") -> "Figure":
    """A row an arm: cosines of paths over steps, and shares within the other subspace, beside those of the subspaces."""
    import matplotlib.pyplot as plt

    parts = list(table.groupby("arm", sort=False))
    figure, axes = plt.subplots(len(parts), 2, figsize=(14, 4.4 * len(parts)), squeeze=False, layout="constrained")
    for (name, part), (left, right) in zip(parts, axes, strict=True):
        draw(part[part["quantity"] == "cosine"], left)
        draw(part[part["quantity"] == "within"], right)
        left.set_ylabel("cosine of two displacements")
        right.set(ylabel="share of one's square\nin the other's subspace", ylim=(0, None))
        left.set_title(fill(str(name), WORDS), loc="left", fontsize="medium")
        for panel in (left, right):
            panel.set(xscale="log", xlabel="training step")
            plain_log_ticks(panel.xaxis)
            panel.grid(alpha=0.3)
            legend_beside(panel, f"pairs of {part['seed'].nunique()} seeds\n(bars: std over pairs)")
    return figure


def draw(part: "pd.DataFrame", axes: "Axes") -> None:
    for source, rows in part.groupby("source", sort=False):
        means = rows.groupby("step")[["value", "scatter"]].mean()
        if source == MEASURED:
            axes.errorbar(means.index, means["value"], yerr=means["scatter"], fmt="o-", capsize=2, label=source)
            continue
        (line,) = axes.plot(means.index, means["value"], "--", label=source)
        if means["scatter"].notna().all():
            ends = [means["value"] - means["scatter"], means["value"] + means["scatter"]]
            axes.fill_between(means.index, *ends, color=line.get_color(), alpha=0.15)


def headline(table: "pd.DataFrame") -> str:
    """Where the paths end with respect to each other, and how the subspaces lie."""
    found = []
    for name, part in table.groupby("arm", sort=False):
        end = part[part["step"].isin([0, part["step"].max()])]
        means = end.groupby(["quantity", "source"])["value"].mean()
        each = [f"{words} {means[quantity, MEASURED]:.3g}{beside(means[quantity])}" for quantity, words in WHAT.items()]
        found.append(f"{name}: {'; '.join(each)}.")
    return " ".join(found)


WHAT = {
    "cosine": "cosine of two paths' ends",
    "within": "share of one in the other's subspace",
    "mean": "mean squared cosine of two subspaces",
    "largest": "largest",
}


def beside(means: "pd.Series[float]") -> str:
    told = ", ".join(f"{source} {value:.3g}" for source, value in means.items() if source != MEASURED)
    return f" ({told})" if told else ""
