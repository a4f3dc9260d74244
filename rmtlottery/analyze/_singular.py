"""What the questions about spectra share: squared singular values of a layer, those of products on a log axis, moments."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import trapezoid

from rmtlottery.analyze._style import interval
from rmtlottery.measure.layers import eigenvalues
from rmtlottery.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from matplotlib.axes import Axes

Array = np.ndarray
ZERO = 1e-24  # of the largest square: what float64 leaves of a singular value that is 0
DECADES = (-8.0, 2.0)
INNER = (0.05, 0.95)
LOW = 30.0  # e-folds below the edge: what lies lower adds 1e-7 to the mean singular value


def layer_squares(weight: "torch.Tensor") -> Array:
    """Of the short side, ascending; what rounding makes of a 0 is given as 0, as in redraws."""
    values = eigenvalues(weight)
    return np.where(values > len(values) * np.finfo(float).eps * values[-1], values, 0.0)


def log_bins(bins: int) -> Array:
    if bins < 2:
        raise Refusal(f"bins = {bins} is not at least 2")
    return np.linspace(*DECADES, bins + 1)


def histogram(squares: Array, weights: Array, edges: Array) -> Array:
    """Share of the values in each bin of log10, per decade; what lies below the first bin is in none."""
    positive = squares > 0
    held = np.histogram(np.log10(squares[positive]), edges, weights=weights[positive])[0]
    return held / weights.sum() / np.diff(edges)


def law_histogram(cdf: Any, edges: Array) -> Array:
    """The same of a law."""
    return np.diff(cdf(10**edges)) / np.diff(edges)


def moments(squares: Array, weights: Array) -> dict[str, float]:
    """Of one Jacobian: mean and relative variance of its squared singular values, the largest, the share that is 0, and
    how far it is from an isometry: |J - U|_F / sqrt(N) for the nearest U with singular values 1, and the same for the
    nearest c U, over |J|_F / sqrt(N). A J of more rows than columns has columns of zeros beside it.
    """
    share = weights / weights.sum()
    mean, edge = float(share @ squares), float(squares.max())
    first = float(share @ np.sqrt(squares))
    whole = {"mean": mean, "variance": float(share @ squares**2) / mean**2 - 1 if mean else np.nan, "edge": edge}
    from_isometry = {"isometry": max(mean - 2 * first + 1, 0.0) ** 0.5}
    shape = {"anisotropy": max(1 - first**2 / mean, 0.0) ** 0.5 if mean else np.nan}
    return whole | {"zeros": float(share[squares <= ZERO * edge].sum())} | from_isometry | shape


def over_inputs(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean over inputs of each number, and where nine tenths of the inputs lie."""
    held: dict[str, float] = {}
    for name in found[0]:
        values = np.array([one[name] for one in found])
        low, high = np.quantile(values, INNER)
        held |= {name: float(values.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
    return held


def law_moments(law: Any, points: int = 400) -> dict[str, float]:
    """The same numbers of a law; the mean singular value is the largest less what lies below the distribution function."""
    log = np.log(law.edge) - LOW * np.linspace(1, 0, points + 1) ** 3
    singular, below = np.exp(log / 2), np.append(law.cdf(np.exp(log[:-1])), 1 - law.top_atom)
    mean, first = float(law.mean), float(singular[-1] - trapezoid(below, singular))
    ends = {"mean": mean, "variance": float(law.variance), "edge": float(law.edge), "zeros": float(law.atom)}
    return ends | {"isometry": max(mean - 2 * first + 1, 0.0) ** 0.5, "anisotropy": max(1 - first**2 / mean, 0.0) ** 0.5}


def columns(source: str, edges: Array, share: Array) -> dict[str, Any]:
    """A row a bin."""
    held = {"bin": np.arange(len(share)), "log10": (edges[1:] + edges[:-1]) / 2, "share": share}
    return {"source": source} | held


def over_rows(squares: Array, rows: int) -> Array:
    """(inputs, rows): those of J J^T, with the zeros of its long side."""
    return np.pad(squares, ((0, 0), (0, rows - squares.shape[1])))


def draw_spectrum(here: "pd.DataFrame", sources: list[str], axes: "Axes") -> None:
    """Share per decade, source by source; intervals over seeds."""
    import seaborn as sns

    shown = [source for source in sources if source in set(here["source"])]
    look = {"hue": "source", "hue_order": shown, "style": "source", "style_order": shown, "errorbar": interval}
    sns.lineplot(here, x="log10", y="share", ax=axes, **look)
    axes.set(xlabel="log10 of squared singular value", ylabel="share per decade", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend().remove()
