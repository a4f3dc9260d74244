"""The squared singular values of a product of square random matrices [Penson, Zyczkowski 2011; Haagerup, Moller 2013].

B = 1 + B^(order+1)/x generates the moments. With B = e^(it) sin((order+1) t)/sin(order t) the x above is real, for
0 < t < end = pi/(order+1), and falls from the edge to 0. The density is Im B/(pi x); its integral, since
B dx/x = d(order B - log(B - 1)), is elementary.
"""

from dataclasses import dataclass
from math import factorial, prod

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, whole
from rmtlottery.spectra.arguments import points, positive, probabilities
from rmtlottery.spectra.inverse import inverse


@dataclass(frozen=True)
class FussCatalan:
    """`order` matrices, each N x N with independent entries of variance 1/N: the mean is 1, order = 1 is MarchenkoPastur(1).

    Any order > 0 is a law, a free multiplicative power of that of order 1.
    """

    order: float

    def __post_init__(self) -> None:
        positive(self.order, "order")

    @property
    def edge(self) -> float:
        """The largest eigenvalue; the smallest is 0."""
        return float((self.order + 1) * np.exp(self.order * np.log1p(1 / self.order)))

    @property
    def end(self) -> float:
        return np.pi / (self.order + 1)

    def moment(self, k: int) -> float:
        """binom((order+1) k, k) / (order k + 1)."""
        whole(k, "k", 0)
        return float(prod(self.order * k + j for j in range(2, k + 1)) / factorial(k))

    def pdf(self, x: ArrayLike) -> Array:
        """Infinite at x = 0, where it grows as x^(-order/(order+1))."""
        x = points(x)
        inside = (x > 0) & (x < self.edge)
        held = np.where(inside, x, self.edge / 2)
        found = self.imaginary(self.rest(held)) / (np.pi * held)
        return np.where(inside, found, np.where(x == 0, np.inf, 0.0))

    def cdf(self, x: ArrayLike) -> Array:
        x = points(x)
        inside = (x > 0) & (x < self.edge)
        found = self.rest_cdf(self.rest(np.where(inside, x, self.edge / 2)))
        return np.where(inside, found, np.where(x <= 0, 0.0, 1.0))

    def ppf(self, p: ArrayLike) -> Array:
        p = probabilities(p)
        rest = inverse(self.rest_cdf, p, 0.0, self.end * p)  # the cdf is at least rest/end
        return np.where(p == 1, self.edge, self.root(rest) ** (self.order + 1))

    def rest(self, x: Array) -> Array:
        """end - t at x, which keeps the digits of a small x; x^(1/(order+1)) is at least its chord."""
        root = x ** (1 / (self.order + 1))
        return inverse(self.root, root, 0.0, self.end * root / self.edge ** (1 / (self.order + 1)))

    def root(self, rest: Array) -> Array:
        """x^(1/(order+1)), almost proportional to a small `rest`."""
        top, one, bottom = self.sines(rest)
        share = 1 / (self.order + 1)
        return top / (one**share * bottom ** (1 - share))

    def imaginary(self, rest: Array) -> Array:
        """Im B."""
        top, one, bottom = self.sines(rest)
        return top * one / bottom

    def rest_cdf(self, rest: Array) -> Array:
        """1 - Im(log(B - 1) - order B)/pi, of which x is the lower end."""
        return rest / self.end + self.order * self.imaginary(rest) / np.pi

    def sines(self, rest: Array) -> tuple[Array, Array, Array]:
        """sin((order+1) t), sin(t), sin(order t)."""
        t = np.maximum(self.end - rest, np.finfo(float).tiny)
        return np.sin((self.order + 1) * np.minimum(rest, t)), np.sin(t), np.sin(self.order * t)
