"""The length map of one given layer: its rows' variances, its whole profile W_ij^2, its weights with their signs.

Fully connected layers, h_i = sum_j W_ij x_j + b_i. Biases are *quenched*: h_i is Gaussian about its own b_i, which its
mean square b_i^2 would not tell. `m` is E x^2 of the layer below, unit by unit; leading axes (inputs, classes) pass through.
The x_j are taken as uncorrelated: what that leaves out is the alignment of a trained layer with its input.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import activation
from rmtlottery.meanfield.gaussian import Array
from rmtlottery.meanfield.maps import Phi
from rmtlottery.meanfield.shifted import shifted_means


class Passed(NamedTuple):
    """A layer's units: E h and Var h, q = E h^2; E x, m = E x^2 and E phi'(h)^2 of x = phi(h).

    chi is mean_i r_i E phi'(h_i)^2, r_i = sum_j W_ij^2: how the mean square of an isotropic perturbation of the layer's
    *input* x grows to its output x (slopes of this layer, not of the one below).
    """

    center: Array
    variance: Array
    q: Array
    mean: Array
    m: Array
    slope: Array
    chi: Array


def row_map(m: ArrayLike, row_variances: ArrayLike, biases: ArrayLike, phi: Phi = "tanh") -> Passed:
    """Var h_i = r_i m, r_i = sum_j W_ij^2 and m averaged over the layer below: rows differ, columns do not."""
    rows, m = np.asarray(row_variances, float), np.atleast_1d(np.asarray(m, float))
    check_chain(rows.ndim == 1 and bool(np.all(rows >= 0)), "row variances (out,)", rows, m)
    return passed(biases_of(rows, biases), rows * np.mean(m, axis=-1, keepdims=True), rows, phi)


def profile_map(m: ArrayLike, squares: ArrayLike, biases: ArrayLike, phi: Phi = "tanh") -> Passed:
    """Var h_i = sum_j W_ij^2 m_j, squares = W^2 of shape (out, in)."""
    profile, m = np.asarray(squares, float), np.asarray(m, float)
    chains = profile.ndim == 2 and profile.shape[1:] == m.shape[-1:] and bool(np.all(profile >= 0))
    check_chain(chains, "squares (out, in)", profile, m)
    rows = profile.sum(axis=1)
    return passed(biases_of(rows, biases), m @ profile.T, rows, phi)


def mean_profile_map(mean: ArrayLike, m: ArrayLike, weights: ArrayLike, biases: ArrayLike, phi: Phi = "tanh") -> Passed:
    """E h_i = sum_j W_ij mean_j + b_i and Var h_i = sum_j W_ij^2 (m_j - mean_j^2); m is E x^2 *about zero*."""
    w, mean, m = np.asarray(weights, float), np.asarray(mean, float), np.asarray(m, float)
    check_chain(w.ndim == 2 and w.shape[1:] == m.shape[-1:] == mean.shape[-1:], "weights (out, in)", w, m)
    spread = m - mean**2
    if np.any(spread < -1e-9 * m):
        raise ValueError(f"m - mean^2 reaches {spread.min():.3g}: m is E x^2 about zero, not the variance")
    rows = np.sum(w**2, axis=1)
    return passed(mean @ w.T + biases_of(rows, biases), np.maximum(spread, 0) @ (w**2).T, rows, phi)


def passed(center: Array, variance: Array, rows: Array, phi: Phi) -> Passed:
    act = activation(phi)
    center = np.broadcast_to(center, variance.shape)
    mean, square, slope = shifted_means(lambda u: ((x := act.phi(u)), x**2, act.slope(u) ** 2), center, variance, act.edges)
    return Passed(center, variance, center**2 + variance, mean, square, slope, np.mean(rows * slope, axis=-1))


def biases_of(rows: Array, biases: ArrayLike) -> Array:
    """One bias a unit; a number is every unit's."""
    b = np.asarray(biases, float)
    if b.shape not in ((), rows.shape):
        raise ValueError(f"biases of shape {b.shape} do not fit {len(rows)} units")
    return np.broadcast_to(b, rows.shape)


def check_chain(chains: bool, name: str, layer: Array, m: Array) -> None:
    if not chains:
        raise ValueError(f"{name} of shape {layer.shape} do not chain with m of shape {m.shape}, or one is negative")
