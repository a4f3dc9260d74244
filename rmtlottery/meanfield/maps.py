"""How the length of a signal, and the correlation of two, pass from one layer to the next [Poole et al. 2016].

W_ij has variance sigma_w^2 / fan_in; b has variance sigma_b^2, *not* divided by the width.
"""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import Array

Phi = str | Activation


def sigmas(sigma_w: ArrayLike, sigma_b: ArrayLike) -> tuple[Array, Array]:
    """Both as arrays, refused where they are negative or no numbers."""
    held = {"sigma_w": np.asarray(sigma_w, float), "sigma_b": np.asarray(sigma_b, float)}
    for name, value in held.items():
        if not np.all(value >= 0) or not np.all(np.isfinite(value)):
            raise ValueError(f"{name} = {sigma_w if name == 'sigma_w' else sigma_b} is not finite and at least 0")
    return held["sigma_w"], held["sigma_b"]


def length_map(q: ArrayLike, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """sigma_w^2 V(q) + sigma_b^2: the next layer's mean square pre-activation [Poole et al. 2016, eq. 3]."""
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    return sigma_w**2 * activation(phi).V(lengths(q)) + sigma_b**2


def correlation_map(c: ArrayLike, q: ArrayLike, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """The next layer's correlation of two signals of length q and correlation c [Poole et al. 2016, eq. 5].

    Normalised by the *next* length, so that c = 1 stays 1 at every q; at q = q* this is C(c). Where no length is left
    c is what it was, the limit of small signals.
    """
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    q, c = lengths(q), np.asarray(c, float)
    if not np.all(np.abs(c) <= 1):
        raise ValueError(f"c = {c} is not between -1 and 1")
    covariance = sigma_w**2 * activation(phi).K(q, c) + sigma_b**2
    length = length_map(q, sigma_w, sigma_b, phi)
    return np.where(length > 0, np.clip(covariance / np.where(length > 0, length, 1.0), -1.0, 1.0), c)


def trajectory(q1: ArrayLike, depth: int, sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """q^1 .. q^depth, the first row q1 itself; sigma_w and sigma_b broadcast against q1."""
    if depth < 1:
        raise ValueError(f"depth = {depth} is not at least 1")
    q = lengths(q1)
    q = np.broadcast_to(q, np.broadcast_shapes(q.shape, np.shape(sigma_w), np.shape(sigma_b)))
    rows = [q]
    for _ in range(depth - 1):
        rows.append(length_map(rows[-1], sigma_w, sigma_b, phi))
    return np.stack(rows)


def lengths(q: ArrayLike) -> Array:
    q = np.asarray(q, float)
    if not np.all(q >= 0):
        raise ValueError(f"q = {q} is not at least 0")
    return q
