"""The inverse of a rising function, by halving: it needs no start and no slope, which may be infinite."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array

HALVINGS = 64


def inverse(rising: Callable[[Array], Array], value: Array, low: ArrayLike, high: ArrayLike) -> Array:
    """Where `rising` takes each `value`, between `low` and `high`; the nearer end where it does not.

    Right to the rounding of `high`: a bracket that shrinks with the value keeps the digits of a small answer.
    """
    low, high = (np.broadcast_to(np.asarray(end, float), value.shape) for end in (low, high))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        under = rising(middle) < value
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2
