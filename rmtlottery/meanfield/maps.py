"""How the length of a signal, and the correlation of two, pass from one layer to the next [Poole et al. 2016].

W_ij has variance sigma_w^2 / fan_in; b has variance sigma_b^2, *not* divided by the width.
"""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import Array, lengths, whole
from rmtlottery.meanfield.pairs import correlations

Phi = str | Activation
HUGE = 1e50
ROUNDING = 1e-12


def sigmas(sigma_w: ArrayLike, sigma_b: ArrayLike) -> tuple[Array, Array]:
    """Both as arrays, refused where they are negative, no numbers, or beyond all use."""
    held = np.asarray(sigma_w, float), np.asarray(sigma_b, float)
    for name, value in zip(("sigma_w", "sigma_b"), held, strict=True):
        lengths(value, name)
        if np.any(value > HUGE):
            raise ValueError(f"{name} = {value.max():g} is beyond {HUGE:g}, and its square beyond use")
    return held


def length_map(q: ArrayLike, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """sigma_w^2 V(q) + sigma_b^2: the next layer's mean square pre-activation [Poole et al. 2016, eq. 3]."""
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    return sigma_w**2 * activation(phi).V(lengths(q)) + sigma_b**2


def covariance_map(
    q1: ArrayLike, q2: ArrayLike, q12: ArrayLike, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh"
) -> Array:
    """sigma_w^2 E phi(u1) phi(u2) + sigma_b^2, for two signals of lengths q1 and q2 and of covariance q12.

    The next lengths are `length_map` of each: they stay unequal.
    """
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    q1, q2, q12 = np.broadcast_arrays(lengths(q1, "q1"), lengths(q2, "q2"), np.asarray(q12, float))
    size = np.sqrt(q1) * np.sqrt(q2)
    if not np.all(np.abs(q12) <= size * (1 + ROUNDING)):
        raise ValueError(f"q12 = {q12} is not between -sqrt(q1 q2) and sqrt(q1 q2), which is {size}")
    c = np.clip(q12 / np.where(size > 0, size, 1.0), -1.0, 1.0)
    return sigma_w**2 * activation(phi).K(q1, c, q2) + sigma_b**2


def correlation_map(c: ArrayLike, q: ArrayLike, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """The next layer's correlation of two signals, both of length q, and of correlation c [Poole et al. 2016, eq. 5].

    Normalised by the *next* length, so that c = 1 stays 1 at every q; at q = q* this is C(c). Where no length is left
    c is what it was, the limit of small signals.
    """
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    q, c = lengths(q), correlations(c)
    covariance = sigma_w**2 * activation(phi).K(q, c) + sigma_b**2
    length = length_map(q, sigma_w, sigma_b, phi)
    moved = np.clip(covariance / np.where(length > 0, length, 1.0), -1.0, 1.0)
    return np.where((length > 0) & (c != 1), moved, c)


def trajectory(q1: ArrayLike, depth: int, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """q^1 .. q^depth, the first row q1 itself; sigma_w and sigma_b broadcast against q1."""
    return correlation_trajectory(None, q1, depth, sigma_w, sigma_b, phi)[0]


def correlation_trajectory(
    c1: ArrayLike | None, q1: ArrayLike, depth: int, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh"
) -> tuple[Array, Array]:
    """(q^1 .. q^depth, c^1 .. c^depth) of two signals, both of length q1; the first rows are q1 and c1 themselves."""
    whole(depth, "depth")
    q, c = lengths(q1, "q1"), correlations(0.0 if c1 is None else c1)
    shape = np.broadcast_shapes(q.shape, c.shape, np.shape(sigma_w), np.shape(sigma_b))
    rows = [(np.broadcast_to(q, shape), np.broadcast_to(c, shape))]
    for _ in range(depth - 1):
        q, c = rows[-1]
        after = c if c1 is None else correlation_map(c, q, sigma_w, sigma_b, phi)
        rows.append((length_map(q, sigma_w, sigma_b, phi), after))
    return np.stack([q for q, _ in rows]), np.stack([c for _, c in rows])
