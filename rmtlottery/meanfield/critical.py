"""The edge of chaos: the line chi = 1 between order and chaos [Poole et al. 2016; Schoenholz et al. 2017]."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import LARGEST, Array, lengths
from rmtlottery.meanfield.maps import Phi, sigmas

UNBOUNDED_LARGEST = 1e12


class CriticalLine(NamedTuple):
    """The net whose length map has the fixed point q, with chi = 1 there; `stable` if lengths do settle at it, chi_q < 1."""

    q: Array
    sigma_w: Array
    sigma_b: Array
    stable: NDArray[np.bool_]


def critical_line(q: ArrayLike, phi: Phi = "tanh") -> CriticalLine:
    """Explicit, with q* as the parameter: sigma_w^2 = 1/D(q), sigma_b^2 = q - V(q)/D(q).

    gelu and silu: for small sigma_b (below 0.416 and 0.745) q is unstable on it, and no signal stays there: as sigma_w
    grows lengths diverge before chi reaches 1. Piecewise-linear phi: sigma_b = 0 at every q, and none is stable.
    """
    act, q = activation(phi), lengths(q)
    D = act.D(q)
    return CriticalLine(q, 1 / np.sqrt(D), np.sqrt(bias_square(q, act)), np.asarray(act.V_slope(q) < D))


def bias_square(q: Array, act: Activation) -> Array:
    """sigma_b^2 on the critical line, which is at least 0: for a small q what is left of it is rounding."""
    return np.zeros_like(q) if act.homogeneous else np.maximum(q - act.V(q) / act.D(q), 0.0)


def critical_sigma_w(sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """The sigma_w that puts a net with this sigma_b at the edge of chaos, chi = 1.

    For gelu and silu with a small sigma_b (`critical_line`: not stable) that is where the *unstable* fixed length has
    chi = 1: a net there settles at a shorter one, with chi < 1. As sigma_w grows it goes from there to no fixed length at
    all, without an edge between. sigma_b rises with q along the line of every phi named here, so there is one answer.
    """
    act = activation(phi)
    _, sigma_b = sigmas(0.0, sigma_b)
    if act.homogeneous:
        return np.broadcast_to(1 / np.sqrt(act.D(1.0)), sigma_b.shape).copy()
    largest = LARGEST if np.isfinite(act.bound) else UNBOUNDED_LARGEST
    if np.any(bias_square(np.array(largest), act) < sigma_b**2):
        raise ValueError(f"sigma_b = {sigma_b.max():.3g} puts the critical line beyond q = {largest:g}")
    low, high = np.full(sigma_b.shape, -40.0), np.full(sigma_b.shape, np.log(largest))
    for _ in range(80):
        middle = (low + high) / 2
        short = bias_square(np.exp(middle), act) < sigma_b**2
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.where(sigma_b > 0, 1 / np.sqrt(act.D(np.exp(high))), 1 / np.abs(act.slope(np.zeros(()))))
