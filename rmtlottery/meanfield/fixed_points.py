"""Where lengths and correlations settle, how fast, and in which phase a network is [Poole 2016; Schoenholz 2017]."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.distances import correlation_distance
from rmtlottery.meanfield.gaussian import Array
from rmtlottery.meanfield.maps import Phi, length_map, sigmas
from rmtlottery.meanfield.newton import newton, without_rounding

EDGE = 1e-12
FAR = 1e8
DOUBLINGS = 1000


class FixedPoint(NamedTuple):
    """q* with slope chi_q and depth scale xi_q; chi, the slope of the correlation map at c = 1; c* with chi_c, xi_c.

    xi = -1/log of the slope's size: infinite at slope 1, negative where the point is unstable. `phase` is ordered (chi < 1),
    critical, chaotic (chi > 1), divergent (q* infinite) or degenerate (every length is fixed; q is then given as 0).
    `distance` is 1 - c*, which keeps its digits where c* is almost 1.
    """

    q: Array
    chi: Array
    chi_q: Array
    c: Array
    chi_c: Array
    xi_q: Array
    xi_c: Array
    phase: NDArray[np.str_]
    distance: Array


def fixed_point(sigma_w: ArrayLike, sigma_b: ArrayLike, phi: Phi = "tanh") -> FixedPoint:
    """The stable fixed point of the length map and of the correlation map there; chi < 1 makes c = 1 *stable*.

    Where lengths grow without end the slopes are their limits for large q, and c = 1 is as far as signals come.
    """
    act = activation(phi)
    sigma_w, sigma_b = np.broadcast_arrays(*sigmas(sigma_w, sigma_b))
    q = length_fixed_point(sigma_w, sigma_b, act)
    settled = np.isfinite(q)
    inner, outer = np.where(settled, q, 1.0), sigma_w**2 * gain(act)
    chi = np.where(settled, sigma_w**2 * act.D(inner), outer)
    chi_q = np.where(settled, sigma_w**2 * act.V_slope(inner), outer)
    distance, chi_c = np.zeros(q.shape), np.where(settled, chi, 1.0)
    chaotic, apart = settled & (chi > 1 + EDGE), act.odd & (sigma_b == 0)
    independent = chaotic & apart  # an odd phi keeps c = 0, and C is convex: c* = 0 exactly
    distance[independent] = 1.0
    chi_c[independent] = sigma_w[independent] ** 2 * act.K_slope(q[independent], 0.0)
    chaotic = chaotic & ~apart
    if chaotic.any():
        distance[chaotic], chi_c[chaotic] = correlation_distance(sigma_w[chaotic], q[chaotic], chi[chaotic], act)
    c = np.asarray(1 - distance)
    far = chaotic & (distance > 0.5)
    c[far] = sharpened(c[far], sigma_w[far], sigma_b[far], q[far], chi_c[far], act)
    degenerate = act.homogeneous & (np.abs(chi - 1) <= EDGE) & (sigma_b == 0)
    scales = depth_scale(chi_q), depth_scale(chi_c)
    found = (q, chi, chi_q, c, chi_c, *scales, phases(q, chi, degenerate), distance)
    return FixedPoint(*map(np.asarray, found))


def length_fixed_point(sigma_w: Array, sigma_b: Array, act: Activation) -> Array:
    """q*, infinite where lengths grow without end."""
    if act.homogeneous:
        slope = sigma_w**2 * act.V(1.0)
        marginal = np.abs(slope - 1) <= EDGE
        inner = sigma_b**2 / np.where((slope < 1) & ~marginal, 1 - slope, 1.0)
        return np.where(marginal & (sigma_b == 0), 0.0, np.where((slope < 1) & ~marginal, inner, np.inf))
    if not np.isfinite(act.bound):
        return smallest_root(sigma_w, sigma_b, act)
    above = np.minimum(sigma_w**2 * act.bound**2 + sigma_b**2, np.maximum(act.largest, sigma_b**2))
    start = np.where(vanishing(sigma_w, sigma_b, act), 0.0, above)
    return newton(lambda q, at: length_step(q, sigma_w[at], sigma_b[at], act), start)


def vanishing(sigma_w: Array, sigma_b: Array, act: Activation) -> NDArray[np.bool_]:
    """Where q* = 0 exactly: no bias, and weights too weak. Iterating towards it would only crawl."""
    zero = np.zeros(())
    return (sigma_b == 0) & (sigma_w * np.abs(act.slope(zero)) <= 1) & (act.phi(zero) == 0)


def length_step(q: Array, sigma_w: Array, sigma_b: Array, act: Activation) -> Array:
    """Newton on Q(q) - q. From above it falls monotonically to q* where Q is concave, as for a saturating phi."""
    slope, gap = sigma_w**2 * act.V_slope(q), without_rounding(length_map(q, sigma_w, sigma_b, act) - q, q)
    return np.maximum(q + gap / np.where(slope < 1, 1 - slope, 1.0), 0.0)


def gain(act: Activation) -> float:
    """The limit of V(q)/q, and of D, for large q; infinite where phi grows faster than h."""
    if act.homogeneous:
        return float(act.V(1.0))
    with np.errstate(over="ignore"):
        return min(float(np.mean(act.slope(np.array([-FAR, FAR])) ** 2)), 1e300)


def smallest_root(sigma_w: Array, sigma_b: Array, act: Activation) -> Array:
    """q* of an unbounded phi, whose Q is convex for small q and then concave (gelu up to q = 3.4, silu 14.4).

    Newton from below stays below a root of the convex part, which is the stable one. Where Q' reaches 1 before a root
    there is none in that part, and the one beyond, if weights let Q grow less than q, is reached from above.
    """
    climbing = ~vanishing(sigma_w, sigma_b, act)
    passed = np.zeros(sigma_w.shape, bool)

    def step(q: Array, at: NDArray[np.bool_]) -> Array:
        w, b = sigma_w[at], sigma_b[at]
        gap = without_rounding(length_map(q, w, b, act) - q, q)
        slope = w**2 * act.V_slope(q)
        over = (slope >= 1) & climbing[at] & ((gap > 0) | (q == 0))
        passed[at] |= over
        return np.where(over, q, np.maximum(q + gap / np.where(slope < 1, 1 - slope, np.inf), 0.0))

    q = newton(step, np.where(climbing, sigma_b**2, 0.0))
    q[passed] = np.inf
    ending = passed & (sigma_w**2 * gain(act) < 1 - EDGE)
    if ending.any():
        q[ending] = root_from_above(sigma_w[ending], sigma_b[ending], act)
    return q


def root_from_above(sigma_w: Array, sigma_b: Array, act: Activation) -> Array:
    start = np.maximum(sigma_b**2, 1e-3) / (1 - sigma_w**2 * gain(act))
    for _ in range(DOUBLINGS):
        short = length_map(start, sigma_w, sigma_b, act) > start
        if not short.any():
            break
        start = np.where(short, 2 * start, start)
    return newton(lambda q, at: length_step(q, sigma_w[at], sigma_b[at], act), start)


def sharpened(c: Array, sigma_w: Array, sigma_b: Array, q: Array, chi_c: Array, act: Activation) -> Array:
    """One Newton step on C(c) - c, which keeps the digits of a small c."""
    gap = (sigma_w**2 * act.K(q, c) + sigma_b**2) / q - c
    return np.clip(c + gap / (1 - chi_c), 0.0, 1.0)


def depth_scale(slope: Array) -> Array:
    """-1/log|slope|, the number of layers over which a deviation falls by e; infinite at slope 1."""
    edge = np.abs(np.abs(slope) - 1) <= EDGE
    with np.errstate(divide="ignore"):
        return np.where(edge, np.inf, -1 / np.log(np.where(edge, 0.5, np.abs(slope))))


def phases(q: Array, chi: Array, degenerate: NDArray[np.bool_]) -> NDArray[np.str_]:
    sides = np.where(np.abs(chi - 1) <= EDGE, "critical", np.where(chi < 1, "ordered", "chaotic"))
    return np.where(degenerate, "degenerate", np.where(np.isfinite(q), sides, "divergent"))
