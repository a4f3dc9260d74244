"""The vector Dyson equation of W W^T, its entries independent, centred, of variances s_ij (theirs, not n times theirs).

-1 / m_i = z - sum_j s_ij / (1 + sum_k s_kj m_k), Im m_i > 0: m is the diagonal of (W W^T - z)^-1 in large matrices [Girko;
Hachem, Loubaton, Najim 2007]. The solution makes

    F = sum_j log(1 + sum_k s_kj m_k) - sum_i log m_i - z sum_i m_i

stationary, and dF/dz = -sum_i m_i: F is log det(W W^T - z) up to a constant, so that -Im F / pi, at real z, is the number
of eigenvalues below z, without any integral, and right to the square of the error of m.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.krylov import shifted_solve
from rmtlottery.spectra.profile_edges import fold
from rmtlottery.spectra.structure import has_gap_at_zero, structural_rank

Complex = NDArray[np.complex128]
Settled = NDArray[np.bool_]
Move = Callable[[Complex, Complex], Complex]
NUMBERS = 1_000_000
DESCENT = 3.0
NEAR, NEARER = 1e-3, 1e-9
STEPS = 60
DENSE = 40
POWERS = 30


class Solution(NamedTuple):
    """Per point: the trace of the resolvent, and the number of eigenvalues below (at real z)."""

    trace: Complex
    below: Array


def solution(z: Complex, m: Complex, seen: Complex, row_count: NDArray[Any], column_count: NDArray[Any]) -> Solution:
    """From m_i and 1 + sum_k s_kj m_k, both of Im >= 0: there the principal logarithms are the continuous ones."""
    trace = m @ row_count
    phase = angle(m) @ row_count + (z * trace).imag - angle(seen) @ column_count
    return Solution(trace, phase / np.pi)


def angle(m: Complex) -> Array:
    """In [0, pi], also where rounding or the sign of a 0 has Im m < 0."""
    return np.arctan2(np.abs(m.imag), m.real)


class DysonLaw:
    """A block of variances, no more rows than columns, connected: one support for all its m_i."""

    def __init__(self, variances: Array) -> None:
        self.shape = variances.shape
        self.scale = float(np.square(np.sqrt(variances.sum(axis=1).max()) + np.sqrt(variances.sum(axis=0).max())))
        self.variances = variances / self.scale

    def at(self, z: Complex) -> Solution:
        """Points of Im z >= 0, off 0."""
        return in_chunks(self.solved, z, self.shape, self.scale)

    def solved(self, z: Complex) -> Solution:
        m = self.resolvent(z)
        return solution(z, m, 1 + mixed(m, self.variances), *map(np.ones, self.shape))

    def resolvent(self, z: Complex) -> Complex:
        """m, shape (points, rows), in units of 1 / scale as z is of scale."""
        m, found = self.followed(z, NEAR, self.shape[0] <= DENSE)
        for place in np.flatnonzero(~found):  # one by one: each has a matrix of its own
            m[[place]], found[[place]] = self.followed(z[[place]], NEARER, True)
        if not found.all():
            raise ArithmeticError(f"no solution of the Dyson equation found at x = {self.scale * z[~found][0]}")
        return m

    def followed(self, z: Complex, near: float, dense: bool) -> tuple[Complex, Settled]:
        start = np.repeat(-1 / (z + 2j)[:, None], self.shape[0], axis=1)
        m, found = continued(partial(self.move, dense=dense), start, z, near)
        real = np.flatnonzero((z.imag == 0) & np.all(m.imag <= 1e-9 * np.abs(m), axis=1))
        m[real] = m[real].real
        found[real] &= self.is_limit(m[real])
        return m, found

    def move(self, m: Complex, z: Complex, dense: bool) -> Complex:
        """Newton's, in log m, as m may be powers of z that differ from row to row: (1 - K)^-1 log(mapped m / m)."""
        S, seen = self.variances, 1 + mixed(m, self.variances)
        mapped, weight = 1 / (mixed(1 / seen, S.T) - z[:, None]), seen**-2
        gap = np.log(mapped / m)
        if dense:
            K = mapped[:, :, None] * ((S * weight[:, None, :]) @ S.T) * m[:, None, :]
            return np.asarray(np.linalg.solve(np.eye(len(S)) - K, gap[..., None])[..., 0], complex)
        return shifted_solve(lambda v: mapped * mixed(mixed(m * v, S) * weight, S.T), gap)

    def is_limit(self, m: Complex) -> Settled:
        """Of all real solutions the limit from above is the one with K of norm <= 1; with Im m > 0 there is no other."""
        weight, held = (1 + m.real @ self.variances) ** -2, np.abs(m)
        direction, norm = held, np.zeros(len(held))
        for _ in range(POWERS):
            direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
            image = held * (((held * direction) @ self.variances * weight) @ self.variances.T)
            norm, direction = np.einsum("pi,pi->p", direction, image), image
        return norm <= 1 + 1e-6

    @property
    def rank(self) -> int:
        return structural_rank(self.variances)

    @cached_property
    def edges(self) -> tuple[float, float]:
        low = self.scale * fold(self.variances, 1) if has_gap_at_zero(self.variances) else 0.0
        return low, self.scale * fold(self.variances, -1)


def mixed(v: Complex, S: Array) -> Complex:
    """v @ S in real arithmetic."""
    parts = np.concatenate([v.real, v.imag]) @ S
    return parts[: len(v)] + 1j * parts[len(v) :]


def continued(move: Move, start: Complex, z: Complex, near: float) -> tuple[Complex, Settled]:
    """The solution at z, followed from far above the real line down to it; and where it is one, to rounding.

    `start` (points, unknowns) is good at z + 2i, the spectrum within [0, 1]; `move` is Newton's step in its logarithm.
    """
    m, height = start, 1.0
    while height > near * np.min(np.abs(z), initial=np.inf):
        above = np.where(height > near * np.abs(z), np.maximum(height, z.imag), z.imag)
        m, _ = settle(move, m, z.real + 1j * above, 0.1)
        height /= DESCENT
    return settle(move, m, z, 1e-14)


def settle(move: Move, start: Complex, z: Complex, tolerance: float) -> tuple[Complex, Settled]:
    """Newton until the move is below the tolerance, or small and no longer shrinking."""
    m, moved, open_ = start.copy(), np.full(len(z), np.inf), np.arange(len(z))
    for _ in range(STEPS):
        step = move(m[open_], z[open_])
        size = np.max(np.abs(step), axis=1)
        m[open_] = turned(m[open_], step / np.maximum(size, 1.0)[:, None])
        resting = (size <= tolerance) | ((size >= moved[open_] / 2) & (size <= 1e-7))
        moved[open_] = size
        open_ = open_[~resting]
        if not open_.size:
            break
    settled = np.ones(len(z), bool)
    settled[open_] = False
    return m, settled


def turned(m: Complex, step: Complex) -> Complex:
    """m exp(step), which comes no nearer to the real line than a tenth of its angle."""
    turn = angle(m)
    there = np.clip(turn + step.imag, turn / 10, np.pi - (np.pi - turn) / 10)
    return np.abs(m) * np.exp(step.real) * (np.cos(there) + 1j * np.sin(there))


def in_chunks(solved: Callable[[Complex], Solution], z: Complex, shape: tuple[int, int], scale: float) -> Solution:
    """`solved` in units of the spectrum, some points at a time, so that memory stays small."""
    pieces = np.array_split(z / scale, -(-z.size * sum(shape) // NUMBERS) or 1)
    found = [solved(piece) for piece in pieces]
    return Solution(np.concatenate([s.trace / scale for s in found]), np.concatenate([s.below for s in found]))
