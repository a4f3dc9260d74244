"""Newton's method on arrays, each entry until what moves it is rounding."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.gaussian import Array

Chosen = NDArray[np.bool_]
STEPS = 200
ROUNDING = 4e-16


def newton(step: Callable[[Array, Chosen], Array], start: Array, least: float = 0.0) -> Array:
    """Repeat a monotone step until what it moves is rounding: tiny, and no longer shrinking. Raises if it never is.

    `step(values, at)` is taken where `at` is True, which is where it has not come to rest yet. Tiny is measured against
    the value, or against `least` where the value is smaller.
    """
    here, moved, at = np.array(start, float), np.full(np.shape(start), np.inf), np.ones(np.shape(start), bool)
    for _ in range(STEPS):
        there = step(here[at], at)
        move, size = np.abs(there - here[at]), np.maximum(np.abs(there), least)
        resting = (move <= 1e-15 * size) | ((move >= moved[at]) & (move <= 1e-8 * size))
        here[at], moved[at] = there, move
        at[at] = ~resting
        if not at.any():
            return here
    raise ArithmeticError(f"no fixed point found in {STEPS} Newton steps: the last one still moved by {move.max():.2g}")


def without_rounding(gap: Array, size: ArrayLike) -> Array:
    """A difference of numbers of this size, 0 where it is no more than their rounding."""
    return np.where(np.abs(gap) <= ROUNDING * np.asarray(size), 0.0, gap)
