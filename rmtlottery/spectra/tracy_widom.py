"""The law of the largest eigenvalue at a soft edge [Tracy, Widom 1994, 1996], and where that edge lies [Johnstone 2001]."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import ArrayLike
from scipy.special import airy

from rmtlottery.meanfield.gaussian import Array, whole
from rmtlottery.spectra.arguments import points, probabilities
from rmtlottery.spectra.fredholm import kernel_eigenvalues
from rmtlottery.spectra.inverse import inverse

RANGES = {1: (-10.0, 14.0), 2: (-7.5, 8.5), 4: (-7.1, 6.3)}  # beyond, cdf or 1 - cdf is below 1e-14
NEGLIGIBLE = 14.0  # Ai is 1e-16 there
NODES = 40
DEGREE = 84


@dataclass(frozen=True)
class TracyWidom:
    """beta = 1 for real entries, 2 for complex ones, 4 for quaternions, F4 with the sqrt(2) of [Tracy, Widom 1996].

    cdf and pdf are right to 1e-12, absolutely: a 1 - cdf below that is 0, and ppf of a p below it tells nothing.
    """

    beta: int = 1

    def __post_init__(self) -> None:
        if self.beta not in RANGES:
            raise ValueError(f"beta = {self.beta} has no determinant here: give 1 (real), 2 (complex) or 4 (quaternions)")

    def cdf(self, x: ArrayLike) -> Array:
        x, (low, high) = points(x), RANGES[self.beta]
        found = np.clip(interpolant(self.beta)(np.clip(x, low, high)), 0, 1)
        return np.where(x < low, 0.0, np.where(x > high, 1.0, found))

    def pdf(self, x: ArrayLike) -> Array:
        x, (low, high) = points(x), RANGES[self.beta]
        found = np.maximum(interpolant(self.beta).deriv()(np.clip(x, low, high)), 0)
        return np.where((x < low) | (x > high), 0.0, found)

    def ppf(self, p: ArrayLike) -> Array:
        """-inf at 0, inf at 1."""
        p = probabilities(p)
        found = inverse(interpolant(self.beta), p, *RANGES[self.beta])
        return np.where(p == 0, -np.inf, np.where(p == 1, np.inf, found))

    def mean(self) -> float:
        low, high = RANGES[self.beta]
        return high - float(interpolant(self.beta).integ(lbnd=low)(high))

    def var(self) -> float:
        """E (high - x)^2 is twice the repeated integral of the cdf."""
        low, high = RANGES[self.beta]
        twice = interpolant(self.beta).integ(2, lbnd=low)
        return 2 * float(twice(high)) - (high - self.mean()) ** 2


@lru_cache(maxsize=3)
def interpolant(beta: int) -> Chebyshev:
    return Chebyshev.interpolate(lambda s: determinant(s, beta), DEGREE, RANGES[beta])


def determinant(s: ArrayLike, beta: int) -> Array:
    """F_beta(s): det(1 - V), det(1 - V^2), the mean of det(1 -+ V) at sqrt(2) s [Ferrari, Spohn 2005; Bornemann 2010].

    V(x, y) = Ai((x + y)/2)/2 on (s, inf); its square is the Airy kernel in other variables.
    """
    s = np.asarray(s, float) * (2**0.5 if beta == 4 else 1)
    values = kernel_eigenvalues(lambda x, y: airy((x + y) / 2)[0] / 2, s, np.maximum(2 * NEGLIGIBLE - s, s), NODES)
    odd, even = np.prod(1 - values, axis=-1), np.prod(1 + values, axis=-1)
    return {1: odd, 2: odd * even, 4: (odd + even) / 2}[beta]


def johnstone(m: int, n: int) -> tuple[float, float]:
    """(centre, scale): for real entries of variance v (*not* v/n), (largest eigenvalue of W W^T / v - centre) / scale -> F1.

    W is (m, n), both large. n - 1 is the second-order shift of [Johnstone 2001], there degrees of freedom; the law is the
    same for W^T, but (n, m) gives a slightly other answer: let n be the longer side.
    """
    rows, columns = np.sqrt(whole(m, "m")), np.sqrt(whole(n, "n", 2) - 1)
    return float((rows + columns) ** 2), float((rows + columns) * (1 / rows + 1 / columns) ** (1 / 3))
