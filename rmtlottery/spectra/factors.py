"""What one factor of a product of free matrices adds to log z(tau), as tau = sum_i x_i/(z - x_i) over its eigenvalues A A^T.

tau is a sum, not a mean: A A^T and A^T A, with zeros or without, have the same. A product A B over an inner dimension n has
z_AB = z_A z_B tau/(n + tau) [Voiculescu 1987; for rectangles Benaych-Georges 2009], so log z of any product is a sum
over its factors and inner dimensions. Most of its terms are multiples of log(n + tau), with n = 0 for log tau:
Gaussian (m x n)  z = sigma^2 (m + tau)(n + tau)/(n tau);  r equal eigenvalues x  z = x (r + tau)/tau.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, lengths, whole
from rmtlottery.spectra.gain_law import Law, discrete


@dataclass(frozen=True, eq=False)
class Part:
    """A rows x columns factor: log z = scale + sum of `terms[n]` log(n + tau) + that of `law`, if it has one."""

    rows: float
    columns: float
    scale: float = 0.0
    terms: Mapping[float, int] = field(default_factory=Counter)
    law: Law | None = None


class Factor(Part):
    """A rows x columns matrix known by its squared singular values, min(rows, columns) of them, zeros included.

    A diagonal gain d is Factor(d**2, N, N). Squares at the level of rounding, below (eps max(rows, columns))^2 of the
    largest, are zeros, as in `numpy.linalg.matrix_rank`.
    """

    def __init__(self, squares: ArrayLike, rows: int, columns: int) -> None:
        rows, columns = whole(rows, "rows"), whole(columns, "columns")
        held = np.atleast_1d(lengths(squares, "squares"))
        if held.shape != (min(rows, columns),):
            raise ValueError(
                f"squares of shape {held.shape} are not the {min(rows, columns)} squared singular values "
                f"of a {rows} x {columns} matrix: give min(rows, columns) of them, zeros included"
            )
        rounding = (np.finfo(float).eps * max(rows, columns)) ** 2 * held.max()
        law = discrete(np.where(held > rounding, held, 0.0), np.ones(held.size))
        self.__dict__.update(vars(spectral(law, rows, columns)))


def spectral(law: Law, rows: float, columns: float) -> Part:
    """A factor with that law of squared singular values, whose weights add up to its rank."""
    if not law.x.size:
        raise ValueError(f"a {rows:g} x {columns:g} factor has no singular value above 0: the product is 0, and has no law")
    if law.x.size > 1:
        return Part(rows, columns, law=law)
    return Part(rows, columns, float(np.log(law.x[0])), Counter({law.rank: 1, 0.0: -1}))


def gaussian(sigma: float, rows: float, columns: float) -> Part:
    """Independent entries of variance sigma^2/columns (the fan-in)."""
    terms = Counter({0.0: -1})
    for side in (rows, columns):
        terms[float(side)] += 1
    return Part(rows, columns, 2 * log_positive(sigma) - float(np.log(columns)), terms)


def orthogonal(sigma: float, rows: float, columns: float) -> Part:
    """W W^T = sigma^2 where rows <= columns, else W^T W = sigma^2 rows/columns: the entries' variance is sigma^2/columns."""
    scale = 2 * log_positive(sigma) + float(np.log(max(rows / columns, 1.0)))
    return Part(rows, columns, scale, Counter({float(min(rows, columns)): 1, 0.0: -1}))


def log_positive(sigma: float) -> float:
    if not (np.ndim(sigma) == 0 and 0 < sigma < np.inf):
        raise ValueError(f"sigma = {sigma} is not a finite number above 0, without which the product has no law")
    return float(np.log(sigma))


@dataclass(frozen=True, eq=False)
class Chain:
    """log z = scale + sum terms[n] log(n + tau) + sum of times * log y, with tau = sum of x/(y - x) over each law."""

    scale: float
    terms: dict[float, int]
    laws: tuple[Law, ...]
    times: Array
    rank: float

    @property
    def log_trace(self) -> float:
        """log of the sum of the product's eigenvalues."""
        traces = [np.log(law.weights @ law.x) for law in self.laws]
        return float(self.scale + sum(c * np.log(n) for n, c in self.terms.items() if n) + self.times @ np.array(traces))

    @property
    def participation(self) -> float:
        """The sum of squared eigenvalues over the squared sum."""
        ratios = [law.weights @ law.x**2 / (law.weights @ law.x) ** 2 for law in self.laws]
        return float(sum(c / n for n, c in self.terms.items() if n) + self.times @ np.array(ratios))

    @property
    def log_top(self) -> float:
        """log z where tau is infinite."""
        return float(self.scale + self.times @ np.log([law.top for law in self.laws]))

    @property
    def top_atom(self) -> float:
        """How many eigenvalues are there; negative or 0: none."""
        if sum(self.terms.values()) > 0:
            return -np.inf
        return float(
            sum(c * n for n, c in self.terms.items()) + self.times @ np.array([law.top_weight for law in self.laws])
        )


def chain(parts: list[Part]) -> Chain:
    """Of factors in order of application."""
    terms = Counter({0.0: len(parts) - 1})
    ranks = []
    for part in parts:
        for n, count in part.terms.items():
            terms[n] += count
        ranks += [part.law.rank if part.law else min(n for n in part.terms if n)]
    for part in parts[:-1]:
        terms[float(part.rows)] -= 1
    laws = Counter(part.law for part in parts if part.law)
    return Chain(
        sum(part.scale for part in parts),
        {n: count for n, count in terms.items() if count},
        tuple(laws),
        np.array(list(laws.values()), float),
        min(ranks),
    )
