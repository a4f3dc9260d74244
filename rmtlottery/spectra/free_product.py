"""The spectrum of a product of free rectangular matrices, each given by its law or by its measured singular values."""

from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.arguments import points, probabilities
from rmtlottery.spectra.factors import Factor, Part, chain, gaussian, orthogonal
from rmtlottery.spectra.subordination import log_determinant, solved, tau
from rmtlottery.spectra.top_edge import ROUNDING, log_edge

__all__ = ["Factor", "FreeProduct", "gaussian", "orthogonal"]

SMALLEST = -640.0  # log x: what a law has below 1e-278 counts as there, since what it is made of may be no float
TABLE = 400
STEPS = 50
NEAR = 1e-11


class FreeProduct:
    """The eigenvalues of J J^T, J the product of factors in order of application: the first is the rightmost matrix.

    All laws are of the *rows of the last factor* many eigenvalues of J J^T, zeros included; J^T J has the same nonzero ones.
    Each factor is `Factor` (measured), `gaussian` or `orthogonal`; the laws are those of factors in general position
    (free), as after random rotations between them, in the limit of large matrices. The cdf includes the atoms, the
    pdf integrates to 1 minus the atoms. Of a product whose spectrum falls into narrow bands trust the cdf, which is no
    integral of the pdf.
    """

    def __init__(self, factors: Iterable[Part]) -> None:
        parts = list(factors)
        if not parts:
            raise ValueError("a product of no factors has no law: give at least one")
        for first, then in pairwise(parts):
            if first.rows != then.columns:
                raise ValueError(
                    f"a factor of {then.rows:g} x {then.columns:g} cannot follow one of {first.rows:g} x {first.columns:g}: "
                    "give factors in order of application, the columns of each the rows of the one before"
                )
        self._rows = parts[-1].rows
        self._chain = chain(parts)

    @property
    def mean(self) -> float:
        return float(np.exp(self._chain.log_trace) / self._rows)

    @property
    def variance(self) -> float:
        """Relative: m2/m1^2 - 1."""
        return self._rows * self._chain.participation - 1

    @property
    def second_moment(self) -> float:
        return (1 + self.variance) * self.mean**2

    @cached_property
    def edge(self) -> float:
        """The largest eigenvalue of the law."""
        return float(np.exp(self._log_edge))

    @cached_property
    def _log_edge(self) -> float:
        return log_edge(self._chain)

    @property
    def atom(self) -> float:
        """The mass at 0: that of the factor of lowest rank."""
        return max(0.0, 1 - self._chain.rank / self._rows)

    @property
    def top_atom(self) -> float:
        """The mass at the edge, if no factor is Gaussian: what the factors' largest values, in general position, share."""
        share = self._chain.top_atom
        return share / self._rows if share > ROUNDING * self._chain.rank else 0.0

    def pdf(self, x: ArrayLike) -> Array:
        """Of the continuous part; 0 at x <= 0 and from the edge on."""
        x = points(x)
        density = np.zeros(x.shape)
        inside = (x > 0) & (x < self.edge)
        if inside.any():
            logs = np.maximum(np.log(x[inside]), SMALLEST)
            density[inside] = self._at(logs)[0] * np.exp(-logs)
        return density

    def cdf(self, x: ArrayLike) -> Array:
        """1 minus the phase of det(1 - J J^T/x), point by point."""
        x = points(x)
        probability = np.where(x >= self.edge, 1.0, np.where(x >= 0, self.atom, 0.0))
        inside = (x > 0) & (x < self.edge)
        if inside.any():
            probability[inside] = self._at(np.maximum(np.log(x[inside]), SMALLEST))[1]
        return probability

    def _at(self, log: Array) -> tuple[Array, Array]:
        """The density of log x, and the cdf."""
        found = solved(self._chain, log)
        trace = tau(self._chain, found) / self._chain.rank
        rounding = np.where(np.abs(trace) > 100, 1e-13 * np.abs(trace) ** 2, 0.0)  # beside an atom
        density = np.where(-trace.imag > rounding, -trace.imag, 0.0) * self._chain.rank / (np.pi * self._rows)
        above = log_determinant(self._chain, found).imag / (np.pi * self._rows)
        return density, np.clip(1 - above, self.atom, 1.0)

    def ppf(self, p: ArrayLike) -> Array:
        """The smallest x with cdf(x) >= p; 0 where that is below the smallest float."""
        p = probabilities(p)
        found = np.where(p <= self.atom, 0.0, self.edge)
        inside = (p > self.atom) & (p < 1 - self.top_atom)
        if inside.any():
            found[inside] = self._quantiles(p[inside])
        return found

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        """log x from where the cdf is but the atom up to the edge, and the cdf."""
        low = max(SMALLEST, self._log_edge - 1.0)
        while low > SMALLEST and self._at(np.array([low]))[1][0] > self.atom + 1e-10:
            low = max(SMALLEST, 2 * low - self._log_edge)
        t = np.linspace(0, 1, TABLE + 1)[1:-1]
        logs = self._log_edge - (self._log_edge - low) * (1 - t) ** 2
        return np.array([low, *logs, self._log_edge]), np.array([self.atom, *self._at(logs)[1], 1 - self.top_atom])

    def _quantiles(self, p: Array) -> Array:
        """Newton's method in log x, halving where it would leave what brackets the root."""
        logs, cdf = self._table
        place = np.clip(np.searchsorted(np.maximum.accumulate(cdf), p), 1, len(logs) - 1)
        low, high = logs[place - 1], logs[place]
        here = (low + high) / 2
        for _ in range(STEPS):
            density, probability = self._at(here)
            under = probability < p
            low, high = np.where(under, here, low), np.where(under, high, here)
            newton = here - (probability - p) / np.where(density > 0, density, np.inf)
            here = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
            if np.all(np.abs(probability - p) < NEAR):
                break
        return np.exp(here)
