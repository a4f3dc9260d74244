"""A cdf kept at nodes that were put where it needs them."""

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from rmtlottery.meanfield.gaussian import Array

TOLERANCE = 1e-7
PARTS = 32
NARROWEST = 1e-4


class ProfileTable:
    """x = low + (high - low) sin^2(pi t / 2) makes square-root edges, and a density like x^(-1/2) at 0, smooth in t.

    Intervals are halved until the cubic through their ends, of the slopes the density gives, meets the cdf in the middle to
    TOLERANCE, which leaves 1e-6 elsewhere; then the middle is a node too. No interval is
    narrower than NARROWEST, 2e-8 of the high edge at 0: at more nonzeros than a few a row it does not matter.
    """

    def __init__(self, exact: Callable[[Array], tuple[Array, Array]], edges: tuple[float, float], atom: float) -> None:
        self.exact, (self.low, self.high), self.atom = exact, edges, atom
        self.t = np.linspace(0, 1, PARTS + 1)
        inner = self.solved(self.t[1:-1])
        self.value = np.concatenate([[atom], inner[0], [1.0]])
        self.slope = np.concatenate([[0.0], inner[1], [0.0]])
        left, right = self.t[:-1], self.t[1:]
        while left.size:
            middle = (left + right) / 2
            value, slope = self.solved(middle)
            poor = (np.abs(self.at(middle) - value) > TOLERANCE) & (right - left > NARROWEST)
            self.insert(middle, value, slope)
            left, right = np.concatenate([left[poor], middle[poor]]), np.concatenate([middle[poor], right[poor]])

    def __call__(self, x: Array) -> Array:
        return self.at(2 / np.pi * np.arcsin(np.sqrt((x - self.low) / (self.high - self.low))))

    def at(self, t: Array) -> Array:
        return np.clip(CubicHermiteSpline(self.t, self.value, self.slopes())(t), self.atom, 1.0)

    def place(self, t: Array) -> Array:
        return self.low + (self.high - self.low) * np.sin(np.pi * t / 2) ** 2

    def solved(self, t: Array) -> tuple[Array, Array]:
        """Cdf and its slope in t."""
        value, density = self.exact(self.place(t))
        return value, density * (self.high - self.low) * np.pi / 2 * np.sin(np.pi * t)

    def slopes(self) -> Array:
        """At a low edge of 0 it is what makes the first piece a parabola: finite, but not known beforehand."""
        found = self.slope.copy()
        if self.low == 0:
            found[0] = max(0.0, 2 * (self.value[1] - self.value[0]) / (self.t[1] - self.t[0]) - found[1])
        return found

    def insert(self, t: Array, value: Array, slope: Array) -> None:
        order = np.argsort(np.concatenate([self.t, t]))
        self.t = np.concatenate([self.t, t])[order]
        self.value, self.slope = np.concatenate([self.value, value])[order], np.concatenate([self.slope, slope])[order]
