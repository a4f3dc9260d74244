"""Averages over Gaussian variables, by a rule that is right where Gauss-Hermite is not.

A saturating phi(sqrt(q) z) turns within |z| ~ 1/sqrt(q): polynomials of z do not see it (64 Hermite nodes miss tanh's
slope average by 9 % at q = 10). With z = 0.05 sinh(t) the turn is as wide in t as the rest, at every q up to 1e5;
Gauss-Legendre in t, on each side of 0 by itself, also takes a kink there.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
REACH = 9.0
SCALE = 0.05
LARGEST = 1e5
NODES = 80


def half_line(reach: float, nodes: int = NODES) -> tuple[Array, Array]:
    """Nodes and weights of the integral from 0 to `reach`, dense near 0."""
    place, weights = np.polynomial.legendre.leggauss(nodes)
    end = np.arcsinh(reach / SCALE)
    t = end * (1 + place) / 2
    return SCALE * np.sinh(t), SCALE * np.cosh(t) * weights * end / 2


def density(z: ArrayLike) -> Array:
    """The standard normal density."""
    return np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)


def both_sides(reach: float, nodes: int = NODES) -> tuple[Array, Array]:
    z, weights = half_line(reach, nodes)
    return np.concatenate([-z[::-1], z]), np.concatenate([weights[::-1], weights])


Z, WEIGHTS = both_sides(REACH)
NORMAL = WEIGHTS * density(Z)


def gaussian_mean(f: Callable[[Array], Array], q: ArrayLike) -> Array:
    """E f(sqrt(q) z), z ~ N(0, 1); f may be any function that is smooth but for a turn or a kink at 0."""
    root = np.sqrt(checked(q))[..., None]
    return f(root * Z) @ NORMAL


def checked(q: ArrayLike) -> Array:
    """q, if the rule resolves what turns within 1/sqrt(q) of 0."""
    q = np.asarray(q, float)
    if np.any(q > LARGEST):
        raise ValueError(f"q = {np.max(q):.3g} is beyond {LARGEST:g}, up to which averages without a closed form are right")
    return q


def gaussian_pair_mean(f: Callable[[Array], Array], q: ArrayLike, c: ArrayLike) -> Array:
    """E f(u1) f(u2), both of variance q and with correlation c in [-1, 1], broadcast over q and c.

    Given z the two are independent: u = sqrt(q|c|) z + sqrt(q (1-|c|)) y, so the mean is E_z m(z) m(+-z), the sign
    that of c, with m(z) = E_y f(u).
    """
    q, c = np.broadcast_arrays(checked(q), np.asarray(c, float))
    found = [pair_mean(f, *pair) for pair in zip(q.ravel().tolist(), c.ravel().tolist(), strict=True)]
    return np.array(found).reshape(q.shape)


def pair_mean(f: Callable[[Array], Array], q: float, c: float) -> float:
    inner = inner_mean(f, np.sqrt(q * abs(c)) * Z, np.sqrt(q * max(0.0, 1 - abs(c))))
    return float((inner * (inner if c >= 0 else inner[::-1])) @ NORMAL)


def inner_mean(f: Callable[[Array], Array], shift: Array, spread: float) -> Array:
    """E_y f(shift + spread y) for every shift: nodes are dense around the y where the argument is 0, if it is in reach."""
    centre = np.clip(-shift / spread, -REACH, REACH) if spread > 0 else np.zeros_like(shift)
    y = centre[:, None] + WIDE
    return np.sum(f(shift[:, None] + spread * y) * density(y) * WIDE_WEIGHTS, axis=1)


WIDE, WIDE_WEIGHTS = both_sides(2 * REACH, 112)
