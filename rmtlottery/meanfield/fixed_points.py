"""Where lengths and correlations settle, how fast, and in which phase a network is [Poole 2016; Schoenholz 2017]."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import LARGEST, Array
from rmtlottery.meanfield.maps import Phi, length_map, sigmas

Chosen = NDArray[np.bool_]
STEPS = 200
EDGE = 1e-12


class FixedPoint(NamedTuple):
    """q* with slope chi_q and depth scale xi_q; chi, the slope of the correlation map at c = 1; c* with chi_c, xi_c.

    xi = -1/log of the slope: infinite at slope 1, negative where the point is unstable. `phase` is ordered (chi < 1),
    critical, chaotic (chi > 1), divergent (q* infinite) or degenerate (every length is fixed; q is then given as 0).
    """

    q: Array
    chi: Array
    chi_q: Array
    c: Array
    chi_c: Array
    xi_q: Array
    xi_c: Array
    phase: NDArray[np.str_]


def fixed_point(sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> FixedPoint:
    """The stable fixed point of the length map and of the correlation map there; chi < 1 makes c = 1 *stable*."""
    act = activation(phi)
    sigma_w, sigma_b = np.broadcast_arrays(*sigmas(sigma_w, sigma_b))
    q = length_fixed_point(sigma_w, sigma_b, act)
    finite = np.where(np.isfinite(q), q, 1.0)
    chi, chi_q = sigma_w**2 * act.D(finite), sigma_w**2 * act.V_slope(finite)
    c = correlation_fixed_point(sigma_w, sigma_b, np.where(np.isfinite(q), chi, 0.0), finite, act)
    chi_c = np.where(np.isfinite(q), chi, 1.0)
    chi_c[c < 1] = sigma_w[c < 1] ** 2 * act.K_slope(finite[c < 1], c[c < 1])
    degenerate = act.homogeneous & (np.abs(chi - 1) <= EDGE) & (sigma_b == 0)
    found = (q, chi, chi_q, c, chi_c, depth_scale(chi_q), depth_scale(chi_c), phases(q, chi, degenerate))
    return FixedPoint(*map(np.asarray, found))


def length_fixed_point(sigma_w: Array, sigma_b: Array, act: Activation) -> Array:
    """q*, infinite where lengths grow without end."""
    if act.homogeneous:
        gain = sigma_w**2 * act.V(1.0)
        marginal = np.abs(gain - 1) <= EDGE
        inner = sigma_b**2 / np.where((gain < 1) & ~marginal, 1 - gain, 1.0)
        return np.where(marginal & (sigma_b == 0), 0.0, np.where((gain < 1) & ~marginal, inner, np.inf))
    check_bounded(act)
    vanishing = (sigma_b == 0) & (sigma_w * np.abs(act.slope(np.zeros(()))) <= 1) & (act.phi(np.zeros(())) == 0)
    start = np.where(vanishing, 0.0, sigma_w**2 * act.bound**2 + sigma_b**2)
    return newton(lambda q, at: length_step(q, sigma_w[at], sigma_b[at], act), start)


def check_bounded(act: Activation) -> None:
    if not np.isfinite(act.bound):
        raise ValueError(f"the fixed point of {act.name!r} needs a bounded phi, or a homogeneous one: give its bound")


def length_step(q: Array, sigma_w: Array, sigma_b: Array, act: Activation) -> Array:
    """Newton on Q(q) - q. From above it falls monotonically to q*, Q being concave for a saturating phi."""
    slope = sigma_w**2 * act.V_slope(q)
    step = (length_map(q, sigma_w, sigma_b, act) - q) / np.where(slope < 1, 1 - slope, 1.0)
    return np.maximum(q + step, 0.0)


def correlation_fixed_point(sigma_w: Array, sigma_b: Array, chi: Array, q: Array, act: Activation) -> Array:
    """c*: 1 where chi <= 1, which iterating would never decide; else Newton from 0, monotone since C is convex."""
    c = np.ones(np.shape(q))
    chaotic = chi > 1 + EDGE
    if chaotic.any():
        w2, b2, length = sigma_w[chaotic] ** 2, sigma_b[chaotic] ** 2, q[chaotic]

        def step(here: Array, at: Chosen) -> Array:
            gap = (w2[at] * act.K(length[at], here) + b2[at]) / length[at] - here
            slope = w2[at] * act.K_slope(length[at], here)
            return np.clip(here + gap / np.where(slope < 1, 1 - slope, np.inf), 0.0, 1.0)

        c[chaotic] = newton(step, np.zeros(length.shape), least=1.0)
    return c


def newton(step: Callable[[Array, Chosen], Array], start: Array, least: float = 0.0) -> Array:
    """Repeat a monotone step until what it moves is rounding: tiny, and no longer shrinking. Raises if it never is.

    `step(values, at)` is taken where `at` is True, which is where it has not come to rest yet. Tiny is measured against
    the value, or against `least` where the value is smaller.
    """
    here, moved, at = np.array(start, float), np.full(np.shape(start), np.inf), np.ones(np.shape(start), bool)
    for _ in range(STEPS):
        there = step(here[at], at)
        move, size = np.abs(there - here[at]), np.maximum(np.abs(there), least)
        resting = (move <= 1e-15 * size) | ((move >= moved[at]) & (move <= 1e-8 * size))
        here[at], moved[at] = there, move
        at[at] = ~resting
        if not at.any():
            return here
    raise ArithmeticError(f"no fixed point found in {STEPS} Newton steps: the last one still moved by {move.max():.2g}")


def depth_scale(slope: Array) -> Array:
    """-1/log(slope), the number of layers over which a deviation falls by e; infinite at slope 1."""
    edge = np.abs(slope - 1) <= EDGE
    with np.errstate(divide="ignore"):
        return np.where(edge, np.inf, -1 / np.log(np.where(edge, 0.5, slope)))


def phases(q: Array, chi: Array, degenerate: NDArray[np.bool_]) -> NDArray[np.str_]:
    sides = np.where(np.abs(chi - 1) <= EDGE, "critical", np.where(chi < 1, "ordered", "chaotic"))
    return np.where(degenerate, "degenerate", np.where(np.isfinite(q), sides, "divergent"))


def critical_sigma_w(sigma_b: ArrayLike, phi: Phi = "tanh") -> Array:
    """The sigma_w that puts a net with this sigma_b at the edge of chaos, chi = 1.

    With q* as the parameter the critical line is explicit: sigma_w^2 = 1/D(q), sigma_b^2 = q - V(q)/D(q).
    """
    act = activation(phi)
    _, sigma_b = sigmas(0.0, sigma_b)
    if act.homogeneous:
        return np.broadcast_to(1 / np.sqrt(act.D(1.0)), sigma_b.shape).copy()
    check_bounded(act)
    low, high = np.full(sigma_b.shape, -40.0), np.full(sigma_b.shape, np.log(LARGEST))
    if np.any(LARGEST - act.V(LARGEST) / act.D(LARGEST) < sigma_b**2):
        raise ValueError(f"sigma_b = {sigma_b.max():.3g} puts the critical line beyond q = {LARGEST:g}")
    for _ in range(80):
        middle = np.exp((low + high) / 2)
        short = middle - act.V(middle) / act.D(middle) < sigma_b**2
        low, high = np.where(short, (low + high) / 2, low), np.where(short, high, (low + high) / 2)
    return np.where(sigma_b > 0, 1 / np.sqrt(act.D(np.exp(high))), 1 / np.abs(act.slope(np.zeros(()))))
