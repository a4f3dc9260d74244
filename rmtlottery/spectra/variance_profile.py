"""Eigenvalues of a large W W^T with independent centred entries, each of its own variance [Girko; Hachem 2007].

A masked layer is one: density times the row's variance. Valid where no entry dominates its row or column: the resolvent at
z = .5 + .2i is off by 2, 3, 6, 8 % at 20, 10, 5, 2.6 nonzeros a row, the cdf of 1000 rows by .002, .003, .011, .025 at 1000,
200, 50, 20 a row, be the rows alike or not, where Marchenko-Pastur is off by .12 to .32 if they are not.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.arguments import points, probabilities
from rmtlottery.spectra.dyson import DysonLaw
from rmtlottery.spectra.inverse import inverse
from rmtlottery.spectra.profile_table import ProfileTable
from rmtlottery.spectra.rank_one_profile import RankOneLaw
from rmtlottery.spectra.structure import connected_blocks

Law = DysonLaw | RankOneLaw
ROUNDING = 1e-13


class VarianceProfile:
    """`variances` (m, n) are the entries' own, not times n: full((m, n), v / n) is MarchenkoPastur(m / n, v).

    The law is that of all m eigenvalues; the cdf has an atom at 0, the pdf integrates to 1 - atom.
    """

    def __init__(self, variances: ArrayLike) -> None:
        held = nonnegative(variances, "variances", 2)
        self.rows, self.mean = len(held), float(held.sum() / len(held))
        self.laws: list[Law] = [block_law(held[np.ix_(*block)]) for block in connected_blocks(held)]

    @classmethod
    def rank_one(cls, rows: ArrayLike, columns: ArrayLike) -> "VarianceProfile":
        """Of variances rows_i columns_j, never written out as a matrix."""
        r, c = nonnegative(rows, "rows", 1), nonnegative(columns, "columns", 1)
        found = cls.__new__(cls)
        found.rows, found.mean = len(r), float(r.mean() * c.sum())
        found.laws = [RankOneLaw(*sorted((r[r > 0], c[c > 0]), key=len))]
        return found

    @cached_property
    def edges(self) -> tuple[float, float]:
        """Of the continuous part, the outermost: there may be gaps between."""
        lows, highs = zip(*(law.edges for law in self.laws), strict=True)
        return min(lows), max(highs)

    @cached_property
    def atom(self) -> float:
        """The weight of 0: 1 - rank / m, with the rank of almost every matrix with these nonzeros."""
        return (self.rows - sum(law.rank for law in self.laws)) / self.rows

    def pdf(self, x: ArrayLike) -> Array:
        """Solved anew at each point; infinite at x = 0 where the low edge is 0."""
        x = points(x)
        found = np.zeros(x.shape)
        for law in self.laws:
            inside = (x > law.edges[0]) & (x < law.edges[1])
            found[inside] += law.at(x[inside].astype(complex)).trace.imag / (np.pi * self.rows)
        return np.where((x == 0) & (self.edges[0] == 0), np.inf, found)

    def cdf(self, x: ArrayLike) -> Array:
        """With the atom; between nodes solved once and kept, within 1e-6 (see ProfileTable)."""
        x, (low, high) = points(x), self.edges
        return np.where(x < 0, 0.0, np.where(x < high, self.table(np.clip(x, low, high)), 1.0))

    def ppf(self, p: ArrayLike) -> Array:
        """The smallest x >= 0 with cdf(x) >= p, by the same nodes: 0 within the atom."""
        p, table = probabilities(p), self.table
        found = table.place(inverse(table.at, p, 0.0, 1.0))
        return np.where((p <= self.atom) & (self.atom > 0), 0.0, found)

    def resolvent(self, z: ArrayLike) -> NDArray[np.complex128]:
        """The mean of 1 / (lambda - z), Im z > 0, over all m eigenvalues: a density is Im / pi of it, with this sign."""
        z = np.asarray(z, complex)
        wrong = z[~(np.isfinite(z) & (z.imag > 0))]
        if wrong.size:
            raise ValueError(f"z = {wrong[0]} is not a finite point above the real line; on it, ask for the pdf")
        held = z.ravel()
        trace = np.sum([law.at(held).trace for law in self.laws], axis=0) - self.zero_rows / held
        return np.asarray(trace / self.rows, complex).reshape(z.shape)

    @cached_property
    def table(self) -> ProfileTable:
        return ProfileTable(self.exact, self.edges, self.atom)

    def exact(self, x: Array) -> tuple[Array, Array]:
        """Cdf and pdf at x > 0, the cdf from the phase of the determinant, not from an integral."""
        count, density = np.full(x.shape, float(self.zero_rows)), np.zeros(x.shape)
        for law in self.laws:
            inside = (x > law.edges[0]) & (x < law.edges[1])
            solution = law.at(x[inside].astype(complex))
            count += np.where(x < law.edges[1], law.shape[0] - law.rank, law.shape[0])
            count[inside] += solution.below - (law.shape[0] - law.rank)
            density[inside] += solution.trace.imag / np.pi
        return count / self.rows, density / self.rows

    @property
    def zero_rows(self) -> int:
        """Eigenvalues 0 that no block has on its short side."""
        return self.rows - sum(law.shape[0] for law in self.laws)


def block_law(variances: Array) -> Law:
    """Of the short side, whose eigenvalues are those of the long one but for zeros."""
    short = variances if len(variances) <= variances.shape[1] else variances.T
    rows, columns = short.sum(axis=1), short.sum(axis=0) / short.sum()
    if np.allclose(short, np.outer(rows, columns), rtol=ROUNDING, atol=0.0):
        return RankOneLaw(rows, columns)
    return DysonLaw(np.ascontiguousarray(short))


def nonnegative(values: ArrayLike, name: str, dimensions: int) -> Array:
    held = np.asarray(values, float)
    if held.ndim != dimensions or not held.size:
        raise ValueError(f"{name} of shape {held.shape}: {dimensions} dimensions are needed, none of them empty")
    wrong = held[~(np.isfinite(held) & (held >= 0))]
    if wrong.size:
        raise ValueError(f"{name} hold {wrong[0]} ({wrong.size} such of {held.size}): a variance is finite and not negative")
    if not held.any():
        raise ValueError(f"all {held.size} {name} are 0: every eigenvalue is 0, and there is no law to solve for")
    return held
