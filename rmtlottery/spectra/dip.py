"""How far a sample is from having one mode: the dip test [Hartigan and Hartigan 1985].

The dip is the least distance, over x, between the empirical CDF F and any CDF that is convex up to some mode and concave
from there on. It may jump at its mode only, so tied values count in full: the dip of two different values or more is at
least half the smallest share that sits away from the mode, 1/(2n) if none are tied.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.gaussian import Array

Places = NDArray[np.int_]
Corner = tuple[int, float, float]
DRAWS = 2000
LARGEST = 1000  # uniform samples beyond follow sqrt(n) dip, whose law has settled to 2 %
SHORT = 100  # points from which on a pass without a loop is worth it
STRIDES = (32, 4, 1)


class Dip(NamedTuple):
    """`p_value`: how often a uniform sample of that size, the hardest law of one mode, dips as far."""

    statistic: float
    p_value: float


def dip(values: ArrayLike, *, seed: int = 0) -> Dip:
    """The uniform samples are DRAWS of the size of this one, but of no more than LARGEST, so no p_value is below 1/2001."""
    held = np.ravel(np.asarray(values, float))
    if not held.size or not np.isfinite(held).all():
        wrong = np.sum(~np.isfinite(held))
        raise ValueError(f"of {held.size} values {wrong} are not finite: a dip needs one or more, all finite")
    statistic = dip_statistic(held)
    scaled = uniform_dips(min(held.size, LARGEST), seed)
    as_far = np.sum(scaled >= statistic * np.sqrt(held.size) * (1 - 1e-9))
    return Dip(statistic, float((1 + as_far) / (1 + DRAWS)))


@lru_cache(maxsize=256)
def uniform_dips(size: int, seed: int) -> Array:
    """sqrt(n) dip of DRAWS uniform samples of n = `size`."""
    samples = np.random.default_rng(seed).random((DRAWS, size))
    return np.sqrt(size) * np.array([dip_statistic(sample) for sample in samples])


def dip_statistic(values: Array) -> float:
    """Narrows the interval of points that may hold the mode, and keeps the largest distance left outside it.

    Before its mode the closest CDF is the greatest convex minorant raised by the dip, after it the least concave majorant
    lowered by it, so F may stray from the one or the other by twice the dip. Where both are farther apart than that they
    cannot pass each other, and the mode lies between that point and where the other touches F next.
    """
    places, counts = np.unique(values, return_counts=True)
    above = np.cumsum(counts).astype(float)
    below: Array = above - counts
    low, high, twice = 0, places.size - 1, 0.0
    while low < high:
        inside = slice(low, high + 1)
        x, upper, lower = places[inside], above[inside], below[inside]
        convex, concave = minorant(x, lower), minorant(x, -upper)
        under, over = np.interp(x, x[convex], lower[convex]), np.interp(x, x[concave], upper[concave])
        start, end, apart = farthest(over - under, convex, concave)
        if apart <= twice:
            break
        outside = np.concatenate([[twice], (upper - under)[:start], (over - lower)[end + 1 :]])
        twice, low, high = float(outside.max()), low + start, low + end
    return twice / (2 * values.size)


def farthest(apart: Array, convex: Places, concave: Places) -> tuple[int, int, float]:
    """The point of the largest distance, from where the convex one touches F to where the concave one does next."""
    first, last = convex[apart[convex].argmax()], concave[apart[concave].argmax()]
    if apart[first] >= apart[last]:
        return int(first), int(concave[np.searchsorted(concave, first)]), float(apart[first])
    return int(convex[np.searchsorted(convex, last) - 1]), int(last), float(apart[last])


def minorant(x: Array, y: Array) -> Places:
    """Indices of the corners of the greatest convex function below the points, x ascending."""
    corners: list[Corner] = []
    kept = thinned(x, y)
    for corner in zip(kept.tolist(), x[kept].tolist(), y[kept].tolist(), strict=True):
        while len(corners) > 1 and steeper(corners[-2], corners[-1], corner):
            corners.pop()
        corners.append(corner)
    return np.array([index for index, _, _ in corners])


def steeper(left: Corner, middle: Corner, right: Corner) -> bool:
    """Whether the slope does not rise at the middle one."""
    return (middle[2] - left[2]) * (right[1] - middle[1]) >= (right[2] - middle[2]) * (middle[1] - left[1])


def thinned(x: Array, y: Array) -> Places:
    """Without the points on or above a chord between others, which are no corners: most of a long sample, without a loop."""
    kept, before = np.arange(x.size), np.inf
    while SHORT < kept.size < 0.9 * before:
        before = kept.size
        for stride in STRIDES:
            left, middle, right = kept[: -2 * stride], kept[stride:-stride], kept[2 * stride :]
            rise = (y[right] - y[left]) * (x[middle] - x[left])
            below = (y[middle] - y[left]) * (x[right] - x[left]) < rise
            kept = np.concatenate([kept[:stride], middle[below], kept[-stride:]])
    return kept
