"""Averages over two correlated Gaussians: E f(u1) f(u2), Var u1 = q1, Var u2 = q2, correlation c.

By Mehler's series in the normalised Hermite polynomials, E f(u1) f(u2) = sum_n a_n(q1) a_n(q2) c^n with
a_n(q) = E f(sqrt(q) z) He_n(z)/sqrt(n!), one matrix product for all lengths at once. What N terms leave out is at
most |c|^(N+1) times the root of what Parseval's identity leaves over at q1 and at q2; where 512 terms leave too much, by
an integral in the plane.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.gaussian import (
    LARGEST,
    NORMAL,
    REACH,
    Array,
    Z,
    both_sides,
    checked,
    density,
    far_rule,
)

Curve = Callable[[Array], Array]
TERMS = {128: 400, 512: 1000}  # and the nodes on either side that resolve so many
ROUNDING = 4e-16
MISSED = 1e-13  # what the series may leave out, relative to its sum
HERMITE_REACH = 13.0  # He_n(z) exp(-z^2/4)/sqrt(n!) hardly falls up to z = 2 sqrt(n): exp(-z^2/4) must
BLOCK = 1024
INNER = 112


def gaussian_pair_mean(f: Curve, q1: ArrayLike, q2: ArrayLike, c: ArrayLike, largest: float = LARGEST) -> Array:
    """E f(u1) f(u2), variances q1 and q2, correlation c in [-1, 1], broadcast; f smooth but for a turn or kink at 0."""
    first, second, c = np.broadcast_arrays(checked(q1, largest), checked(q2, largest), correlations(c))
    shape = c.shape
    given = first.ravel(), second.ravel(), c.ravel()
    found = np.empty(c.size)
    for rows in blocks(c.size):
        found[rows] = block_mean(f, *(values[rows] for values in given))
    return found.reshape(shape)


def correlations(c: ArrayLike) -> Array:
    """c as an array between -1 and 1, to which rounding is brought back."""
    c = np.asarray(c, float)
    wrong = c[~(np.abs(c) <= 1 + 1e-12)]
    if wrong.size:
        raise ValueError(f"c = {wrong[0]} is not between -1 and 1")
    return np.clip(c, -1.0, 1.0)


def blocks(size: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


def block_mean(f: Curve, q1: Array, q2: Array, c: Array) -> Array:
    """One integral for c = 1 and -1; else the series where it is right, the plane elsewhere."""
    near = (q1 <= LARGEST) & (q2 <= LARGEST)
    found, done = np.zeros(c.shape), near & (np.abs(c) == 1)
    found[done] = line_mean(f, q1[done], q2[done], c[done])
    left = np.flatnonzero(near & ~done)
    for terms in TERMS:
        found[left], done[left] = series_mean(f, q1[left], q2[left], c[left], terms)
        left = left[~done[left]]
    for pair in np.flatnonzero(~done):
        found[pair] = plane_mean(f, float(q1[pair]), float(q2[pair]), float(c[pair]))
    return found


def line_mean(f: Curve, q1: Array, q2: Array, sign: Array) -> Array:
    """E f(sqrt(q1) z) f(+-sqrt(q2) z)."""
    return (f(np.sqrt(q1)[:, None] * Z) * f((sign * np.sqrt(q2))[:, None] * Z)) @ NORMAL


def series_mean(f: Curve, q1: Array, q2: Array, c: Array, terms: int) -> tuple[Array, NDArray[np.bool_]]:
    """Mehler's series, and where what it leaves out is surely small."""
    distinct, place = np.unique([q1, q2], return_inverse=True)
    a, square = coefficients(f, distinct, terms)
    left = np.sqrt(left_over(a, square))
    first, second = place.reshape(2, -1)
    parts = a[first] * a[second] * powers(c, terms + 1)
    found = parts.sum(axis=1)
    scale = np.maximum(np.abs(found), 0.01 * np.abs(parts).sum(axis=1))
    return found, np.abs(c) ** (terms + 1) * left[first] * left[second] <= MISSED * scale


def powers(c: Array, count: int) -> Array:
    """c^0 .. c^(count - 1), one row for each c."""
    return np.cumprod(np.concatenate([np.ones((c.size, 1)), np.repeat(c[:, None], count - 1, axis=1)], axis=1), axis=1)


def coefficients(f: Curve, q: Array, terms: int) -> tuple[Array, Array]:
    """a_n(q), n = 0 .. terms, one row for each q, and E f(sqrt(q) z)^2, by one fine rule."""
    z, normal, polynomials = hermite_rule(terms)
    a, square = np.empty((q.size, terms + 1)), np.empty(q.size)
    for start in range(0, q.size, 128):
        rows = slice(start, start + 128)
        values = f(np.sqrt(q[rows])[:, None] * z)
        a[rows], square[rows] = values @ polynomials, values**2 @ normal
    return a, square


def left_over(a: Array, square: Array) -> Array:
    """The sum of the a_n^2 left out, from above: Parseval, and what rounding may hide."""
    return np.maximum(square - np.sum(a**2, axis=1), 0) + ROUNDING * square


@cache
def hermite_rule(terms: int) -> tuple[Array, Array, Array]:
    """Nodes, their normal weights, and these times He_n(z)/sqrt(n!), by the recurrence that keeps the norm."""
    z, weights = both_sides(HERMITE_REACH, TERMS[terms])
    rows = [np.ones_like(z), z]
    for n in range(1, terms):
        rows.append((z * rows[n] - np.sqrt(n) * rows[n - 1]) / np.sqrt(n + 1))
    normal = weights * density(z)
    return z, normal, normal[:, None] * np.stack(rows, axis=1)


def plane_mean(f: Curve, q1: float, q2: float, c: float) -> float:
    """Given z the two are independent, u = sqrt(q|c|) z + sqrt(q (1-|c|)) y: E_z m1(z) m2(+-z), the sign that of c."""
    far = max(q1, q2) > LARGEST
    z, normal = Z, NORMAL
    if far:
        z, weights = far_rule(max(q1, q2))
        normal = weights * density(z)
    means = [inner_mean(f, np.sqrt(q * abs(c)) * z, np.sqrt(q * (1 - abs(c))), far) for q in (q1, q2)]
    return float((means[0] * (means[1] if c >= 0 else means[1][::-1])) @ normal)


def inner_mean(f: Curve, shift: Array, spread: float, far: bool = False) -> Array:
    """E_y f(shift + spread y) for every shift: nodes are dense around the y where the argument is 0, if it is in reach."""
    centre = np.clip(-shift / spread, -REACH, REACH) if spread > 0 else np.zeros_like(shift)
    nodes, weights = far_rule(max(spread**2, LARGEST), 2 * REACH) if far else (WIDE, WIDE_WEIGHTS)
    y = centre[:, None] + nodes
    return np.sum(f(shift[:, None] + spread * y) * density(y) * weights, axis=1)


WIDE, WIDE_WEIGHTS = both_sides(2 * REACH, INNER)
