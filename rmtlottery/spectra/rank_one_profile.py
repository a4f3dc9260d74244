"""Eigenvalues of W W^T whose entry (i, j) has variance r_i c_j: the Dyson equation is two scalar ones [Hachem 2007].

B = sum_j c_j / (1 + c_j A),  A = sum_i r_i / (r_i B - z),  and then m_i = 1 / (r_i B - z).
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.dyson import NEARER, Complex, Solution, continued, in_chunks, solution

SLACK = 1e-9


class RankOneLaw:
    """Positive factors, no more rows than columns; equal factors are held once, with their number."""

    def __init__(self, rows: Array, columns: Array) -> None:
        self.shape, self.rank = (len(rows), len(columns)), len(rows)
        self.rows, self.row_count = np.unique(rows / rows.max(), return_counts=True)
        self.columns, self.column_count = np.unique(columns / columns.max(), return_counts=True)
        tall, wide = self.row_count @ self.rows, self.column_count @ self.columns
        self.scale = float(np.square(np.sqrt(tall) + np.sqrt(wide)))
        self.columns = self.columns / self.scale
        self.scale *= float(rows.max() * columns.max())

    def at(self, z: Complex) -> Solution:
        """Points of Im z >= 0, off 0."""
        return in_chunks(self.solved, z, self.shape, self.scale)

    def solved(self, z: Complex) -> Solution:
        start = -(self.row_count @ self.rows) / (z + 2j)
        A, settled = continued(self.move, start[:, None], z, NEARER)
        if not settled.all():
            raise ArithmeticError(f"no solution of the scalar Dyson equations found at x = {self.scale * z[~settled][0]}")
        real = (z.imag == 0) & (A[:, 0].imag <= 1e-9 * np.abs(A[:, 0]))
        A[real] = A[real].real
        seen = 1 + self.columns * A
        m = 1 / (self.rows * (self.column_count * self.columns / seen).sum(axis=1, keepdims=True) - z[:, None])
        return solution(z, m, seen, self.row_count, self.column_count)

    def move(self, A: Complex, z: Complex) -> Complex:
        """Newton's, in log A."""
        share = self.columns / (1 + self.columns * A)
        B, B_slope = (share @ self.column_count)[:, None], -(share**2 @ self.column_count)[:, None]
        m = self.rows / (self.rows * B - z[:, None])
        mapped, squares = (m @ self.row_count)[:, None], (m**2 @ self.row_count)[:, None]
        return np.log(mapped / A) / (1 + A * B_slope * squares / mapped)

    @cached_property
    def edges(self) -> tuple[float, float]:
        """The largest z(A) over A > 0 and the smallest over -1 / max c < A < 0 [Silverstein and Choi 1995].

        Other extrema of z(A) are edges of gaps.
        """
        high = self.extremum(lambda u: -expit(u) / self.columns[-1], -30.0, 20.0)
        low = self.extremum(np.exp, -40.0, 80.0) if self.shape[0] < self.shape[1] else 0.0
        return self.scale * low, self.scale * high

    def extremum(self, place: Callable[[float], float], first: float, last: float) -> float:
        u = brentq(lambda u: self.outside(place(u))[1], first, last, xtol=1e-13)
        return self.outside(place(u))[0]

    def outside(self, A: float) -> tuple[float, float]:
        """z and the sign of dz/dA, beyond all eigenvalues: z > B max r if A < 0, z < B min r if A > 0."""
        share = self.columns / (1 + self.columns * A)
        B, B_slope = self.column_count @ share, -self.column_count @ share**2
        nearest = self.rows[0] if A > 0 else self.rows[-1]
        apart = B * np.abs(self.rows - nearest)
        ends = nearest / abs(A) * (1 - SLACK), self.row_count @ self.rows / abs(A) * (1 + SLACK)
        gap = brentq(lambda gap: self.row_count @ (self.rows / (apart + gap)) - abs(A), *ends, xtol=1e-300, rtol=1e-14)
        slope = 1 + B_slope * (self.row_count @ np.square(self.rows / (apart + gap)))
        return float(B * nearest - np.sign(A) * gap), float(slope)
