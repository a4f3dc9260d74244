"""Bimodality by moments: quick, but a skewed law of one mode looks like two (`dip`, `two_gaussians` do not say so)."""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array


def kurtosis(values: ArrayLike) -> float:
    """Fourth central moment over the squared variance, of the sample: 3 for a Gaussian, not 0."""
    return float(np.mean(standardised(values) ** 4))


def sarle(values: ArrayLike) -> float:
    """(skewness^2 + 1) / kurtosis [Sarle]: 1/3 for a Gaussian, 5/9 for a uniform law, 1 for two values; never above 1."""
    z = standardised(values)
    return float((np.mean(z**3) ** 2 + 1) / np.mean(z**4))


def standardised(values: ArrayLike) -> Array:
    """Mean 0 and variance 1, over n and not n - 1."""
    held = np.ravel(np.asarray(values, float))
    if not held.size or not np.isfinite(held).all() or held.min() == held.max():
        raise ValueError(f"{held.size} values, all equal or not all finite, have no shape: give two different ones or more")
    centred = held - held.mean()
    return centred / np.sqrt(np.mean(centred**2))
