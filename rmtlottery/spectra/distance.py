"""How far apart an empirical law and a given one are, by Kolmogorov and Smirnov, where both may jump at one point."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array


def ks_distance(values: ArrayLike, cdf: Callable[[Array], Array]) -> float:
    """The largest gap between the empirical CDF of `values` and `cdf`, in [0, 1].

    Both are right-continuous, and compared at each distinct value and just below it, each by its own limit: an atom of the
    law at a tied value is two jumps at once, and only what differs between them counts.
    """
    held = np.ravel(np.asarray(values, float))
    if not held.size or np.isnan(held).any():
        raise ValueError(f"of {held.size} values {np.isnan(held).sum()} are NaN: an empirical CDF needs one number or more")
    places, counts = np.unique(held, return_counts=True)
    at = np.cumsum(counts) / held.size
    below = np.concatenate([[0.0], at[:-1]])
    law = np.asarray(cdf(np.concatenate([places, np.nextafter(places, -np.inf)])), float)
    if np.isnan(law).any():
        raise ValueError(f"the cdf is NaN at {np.isnan(law).sum()} of the {law.size} points asked: it must hold everywhere")
    return float(np.abs(np.concatenate([at, below]) - law).max())
