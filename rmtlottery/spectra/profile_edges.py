"""The outermost edges of the eigenvalues of W W^T, its entries of given variances: where the real solution folds back.

Beyond all eigenvalues the solution m of the Dyson equation is real and of one sign. Followed with its mean t in place of z
it passes the edge smoothly: z(t) has its extremum there, as has z(A) of a rank-one profile [Silverstein and Choi 1995].
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from rmtlottery.meanfield.gaussian import Array

STRIDE = 1.5
LEAST_STRIDE = 1 + 1e-9
STEPS = 25


class Point(NamedTuple):
    """Of the path of real solutions: t = sum_i w_i m_i, (m, z) together, and their derivative by t."""

    t: float
    solution: Array
    tangent: Array


def fold(S: Array, sign: int) -> float:
    """The lower edge (sign 1: m > 0) or the upper one (-1: m < 0) of variances scaled to a spectrum within [0, 1]."""
    path, stride = Path(S, sign), STRIDE
    inner = outer = path.known[-1].t
    while not path.slope(outer) < 0:
        if stride < LEAST_STRIDE:
            raise ArithmeticError(f"the real solution of the Dyson equation is lost at t = {inner}, z = {path.z}")
        inner, stride = (outer, stride) if outer == path.known[-1].t else (inner, np.sqrt(stride))
        outer = inner * stride
    brentq(path.sure_slope, inner, outer, rtol=1e-9, xtol=1e-300)
    return path.z


class Path:
    """w_i is the share of row i in the variance, and t takes the place of z, which turns at an edge where t does not."""

    def __init__(self, S: Array, sign: int) -> None:
        self.S, self.weight = S, S.sum(axis=1) / S.sum()
        m = np.full(len(S), 0.25 * sign)
        z = self.weight @ (S @ (1 / (1 + m @ S)) - 1 / m)
        self.known = [Point(0.25 * sign, np.append(m, z), np.zeros(len(S) + 1))]

    @property
    def z(self) -> float:
        return float(self.known[-1].solution[-1])

    def slope(self, t: float) -> float:
        """dz/dt at t, by Newton on m and z along the tangent of the nearest point known; NaN where it leads nowhere."""
        near = min(self.known, key=lambda point: abs(point.t - t))
        guess = near.solution + near.tangent * (t - near.t)
        for _ in range(STEPS):
            m = guess[:-1]
            if not (np.all(m * t > 0) and np.all(m @ self.S > -1)):
                break
            move, tangent = self.newton(m, guess[-1], t)
            guess = guess + move
            if np.all(np.abs(move[:-1]) <= 1e-9 * np.abs(m)) and abs(move[-1]) <= 1e-9 / np.abs(m).min():
                if not self.is_first_fold(guess[:-1], tangent):
                    break
                self.known.append(Point(t, guess, tangent))
                return float(tangent[-1])
        return np.nan

    def is_first_fold(self, m: Array, tangent: Array) -> bool:
        """Before it all m rise together; after it the feedback K (see dyson) has one eigenvalue above 1."""
        if tangent[-1] > 0:
            return bool(np.all(tangent[:-1] > -1e-9 * np.abs(m)))
        root = m[:, None] * self.S / (1 + m @ self.S)
        return bool(np.all(np.linalg.eigvalsh(root @ root.T)[:-1] < 1))

    def sure_slope(self, t: float) -> float:
        """By shorter ways where one is too long."""
        part = 1.0
        while part > 1e-6:
            near = min((point.t for point in self.known), key=lambda at: abs(at - t))
            found = self.slope(near + part * (t - near))
            if part == 1 and not np.isnan(found):
                return found
            part = part / 4 if np.isnan(found) else 1.0
        raise ArithmeticError(f"the real solution of the Dyson equation is lost at t = {t}, z = {self.z}")

    def newton(self, m: Array, z: float, t: float) -> tuple[Array, Array]:
        """The move of (m, z), and their derivative by t."""
        S, size = self.S, len(m)
        seen = 1 + m @ S
        inverse = S @ (1 / seen) - z
        mapped = 1 / np.where(inverse == 0, np.nan, inverse)
        system = np.zeros((size + 1, size + 1))
        system[:size, :size] = np.eye(size) - mapped[:, None] ** 2 * ((S / seen**2) @ S.T)
        system[:size, size] = -(mapped**2)
        system[size, :size] = self.weight
        right = np.zeros((size + 1, 2))
        right[:, 0] = np.append(mapped - m, t - self.weight @ m)
        right[size, 1] = 1.0
        try:
            found = np.asarray(np.linalg.solve(system, right), float)
        except np.linalg.LinAlgError:
            found = np.full(right.shape, np.nan)
        return found[:, 0], found[:, 1]
