"""Power-law tails, p(x) ~ x^-alpha from xmin on, by maximum likelihood [Clauset, Shalizi, Newman 2009].

xmin is the value from which on the fit's Kolmogorov-Smirnov distance to the tail is smallest, among all values that leave
a tail of LEAST values, two of them different; alpha is not capped. The distance is the supremum over x, so it looks at both
sides of every step of the empirical law. Zeros are dropped. A light tail is seldom refused: the last dozen values of any
smooth law are a power law with a large alpha, so read `tail` and the alpha of a null model beside every p-value.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.gaussian import Array, whole

Places = NDArray[np.int_]
LEAST = 5
BLOCK = 2**15  # numbers at a time, which the cache holds


class PowerLaw(NamedTuple):
    """`tail` values are at or above xmin; `error` is alpha's standard error with xmin given, (alpha - 1)/sqrt(tail).

    `p_value` is the share of samples of the fitted law that lie farther from their own fit: below 0.1 it is no power law.
    The converse says little: since xmin is free, a tail is found that a power law fits in most samples of other laws
    (lognormal, exponential), too, however many values there are. Hence `tails.read_tail`.
    """

    alpha: float
    xmin: float
    ks: float
    p_value: float
    tail: int
    error: float


class Tails(NamedTuple):
    """Of each row the index of xmin, alpha - 1 and the distance (infinite where no value may be xmin)."""

    first: Places
    slope: Array
    ks: Array


def fit_power_law(values: ArrayLike, *, bootstraps: int = 100, seed: int = 0) -> PowerLaw:
    """The tail of a sample of numbers, in any order; without bootstraps p_value is nan."""
    whole(bootstraps, "bootstraps", 0)
    logs = sorted_logs(np.reshape(np.asarray(values, float), (1, -1)))
    logs = logs[:, np.isfinite(logs[0])]
    first, slope, ks = (found[0] for found in nearest_tails(logs))
    tail = logs.shape[1] - int(first)
    p_value = np.mean(bootstrap(logs[0], int(first), slope, bootstraps, seed) >= ks) if bootstraps else np.nan
    xmin = np.sort(np.ravel(values))[-tail]
    return PowerLaw(float(1 + slope), float(xmin), float(ks), float(p_value), tail, float(slope / np.sqrt(tail)))


def alphas(spectra: ArrayLike) -> Array:
    """alpha of every row, without a bootstrap; rows may hold different numbers of zeros."""
    spectra = np.atleast_2d(np.asarray(spectra, float))
    return 1 + nearest_tails(sorted_logs(spectra)).slope


def sorted_logs(rows: Array) -> Array:
    """Ascending, -inf for a zero; refused where a row is no sample to fit."""
    if rows.ndim != 2 or not np.all((rows >= 0) & (rows < np.inf)):
        raise ValueError(f"values of shape {rows.shape} hold a negative, infinite or NaN one: give eigenvalues of W W^T")
    with np.errstate(divide="ignore"):
        logs = np.log(np.sort(rows, axis=1))
    different = new_values(logs).sum(axis=1)
    if np.any(different < LEAST):
        raise ValueError(f"{different.min()} different positive values are too few for a power law: it takes {LEAST}")
    return logs


def new_values(logs: Array) -> NDArray[np.bool_]:
    """Where an ascending row has a finite value that was not there before."""
    new = np.isfinite(logs)
    new[:, 1:] &= logs[:, 1:] > logs[:, :-1]
    return new


def bootstrap(logs: Array, first: int, slope: float, samples: int, seed: int) -> Array:
    """Distances of samples that are this one below xmin, with replacement, and the fitted law above it [section 4.1]."""
    rng, size = np.random.default_rng(seed), (samples, logs.size)
    drawn = logs[first] + rng.standard_exponential(size) / slope
    if first:
        drawn = np.where(rng.random(size) * logs.size < first, logs[rng.integers(first, size=size)], drawn)
    return nearest_tails(np.sort(drawn, axis=1)).ks


def nearest_tails(logs: Array) -> Tails:
    """Rows of ascending logs, some at a time."""
    rows = max(1, BLOCK // logs.shape[1])
    parts = [nearest_block(logs[start : start + rows]) for start in range(0, max(len(logs), 1), rows)]
    return Tails(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def nearest_block(logs: Array) -> Tails:
    """The exact minimiser without all n^2 pairs, by cutting planes.

    A tail's gap at any one point bounds its distance from below. The tail of the lowest bound is measured at all points,
    and the worst of them then raises every tail's bound; it ends when no bound is below the smallest distance measured.
    """
    rows, points = np.arange(len(logs)), np.arange(logs.shape[1])
    logs, slope = tail_slopes(logs)
    bound = np.where(slope > 0, 1 / (points.size - points), np.inf)
    best = Tails(np.full(rows.size, points.size), np.zeros(rows.size), np.full(rows.size, np.inf))
    while True:
        first = bound[rows].argmin(axis=1)
        lowest = bound[rows, first]
        going = np.isfinite(lowest) & (lowest <= best.ks[rows])
        rows, first = rows[going], first[going]
        if not rows.size:
            return best
        gap = gaps(logs, slope, rows[:, None], first[:, None], points)
        worst = gap.argmax(axis=1)
        keep_better(best, rows, first, slope[rows, first], gap[np.arange(rows.size), worst])
        bound[rows] = np.maximum(bound[rows], gaps(logs, slope, rows[:, None], points, worst[:, None]))
        bound[rows, first] = np.inf


def tail_slopes(logs: Array) -> tuple[Array, Array]:
    """Logs below the largest, and alpha - 1 of the tail from each value on: 0 where that may not be xmin."""
    new = new_values(logs)
    logs = np.where(np.isfinite(logs), logs - logs[:, -1:], 0.0)  # so that a tail of almost equal values keeps its digits
    sizes = np.arange(logs.shape[1], 0, -1)
    excess = np.cumsum(logs[:, ::-1], axis=1)[:, ::-1] / sizes - logs
    allowed = new & (sizes >= LEAST) & (logs < 0) & (excess > 0)
    return logs, np.where(allowed, 1 / np.where(allowed, excess, 1.0), 0.0)


def gaps(logs: Array, slope: Array, row: Places, first: Places, point: Places) -> Array:
    """How far a step of the empirical law reaches from the fit to the tail from `first` on, by its farther end.

    The step at `point` goes from (n - point)/tail to one less survivor: from its middle, plus half its height.
    """
    tail = logs.shape[1] - first
    fit = np.exp(np.minimum(slope[row, first] * (logs[row, first] - logs[row, point]), 0.0))
    gap = np.abs(fit - (logs.shape[1] - 0.5 - point) / tail) + 0.5 / tail
    return np.where(point >= first, gap, 0.0)


def keep_better(best: Tails, rows: Places, first: Places, slope: Array, ks: Array) -> None:
    """Of two equal distances the longer tail."""
    better = (ks < best.ks[rows]) | ((ks == best.ks[rows]) & (first < best.first[rows]))
    for kept, found in zip(best, (first, slope, ks), strict=True):
        kept[rows[better]] = found[better]
