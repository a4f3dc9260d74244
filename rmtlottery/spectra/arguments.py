"""What a law may be asked: at which points, at which probabilities, of which parameters."""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array


def points(x: ArrayLike) -> Array:
    """x as an array; infinite points are points."""
    held = np.asarray(x, float)
    if np.isnan(held).any():
        raise ValueError(f"{np.isnan(held).sum()} of the {held.size} points x are NaN: leave them out")
    return held


def probabilities(p: ArrayLike) -> Array:
    held = np.asarray(p, float)
    wrong = held[~((held >= 0) & (held <= 1))]
    if wrong.size:
        raise ValueError(f"p = {wrong[0]} is no probability: it lies in [0, 1]")
    return held


def positive(value: float, name: str) -> float:
    if not (np.ndim(value) == 0 and 0 < value < np.inf):
        raise ValueError(f"{name} = {value} is not a finite number above 0")
    return float(value)
