"""1 - c*: how far from one another two signals end, where c = 1 is unstable.

C(c*) = c* is g(c*) = 1 for g(c) = (1 - C(c))/(1 - c) = sigma_w^2 (V - K(q, c))/(q (1 - c)), which rises from at most 1
at c = 0, convex, to chi > 1 at c = 1 [Schoenholz et al. 2017, C as Poole et al. 2016]. Solved for 1 - c, all differences
taken before rounding, so that what is left is the error of chi over chi - 1.
"""

import numpy as np
from numpy.typing import NDArray

from rmtlottery.meanfield.activations import Activation
from rmtlottery.meanfield.gaussian import LARGEST, Array, legendre
from rmtlottery.meanfield.newton import newton, without_rounding
from rmtlottery.meanfield.pairs import TERMS, blocks, coefficients, left_over, powers

Chosen = NDArray[np.bool_]
START = 1.0
NODES = 24
MISSED = 2e-15


def correlation_distance(sigma_w: Array, q: Array, chi: Array, act: Activation) -> tuple[Array, Array]:
    """1 - c* and the slope of C there, where chi > 1: by Mehler's series if that is right, else from K and its slope."""
    distance, slope, left = np.zeros(q.shape), np.zeros(q.shape), np.arange(q.size)
    for terms in () if act.pair_mean or act.slope_pair_mean else TERMS:
        todo, left = left[q[left] <= LARGEST], left[q[left] > LARGEST]
        for rows in blocks(todo.size):
            at = todo[rows]
            distance[at], slope[at], right = by_series(sigma_w[at], q[at], chi[at], act, terms)
            left = np.concatenate([left, at[~right]])
    if left.size:
        distance[left], slope[left] = by_integral(sigma_w[left], q[left], act)
    return distance, slope


def by_series(sigma_w: Array, q: Array, chi: Array, act: Activation, terms: int) -> tuple[Array, Array, Chosen]:
    """g(c) = (sigma_w^2/q) sum_k T_k c^k, T_k = sum_{n>k} a_n^2, nothing but positive terms; and where that is right."""
    a, square = coefficients(act.phi, q, terms)
    weight, orders = (sigma_w**2 / q)[:, None] * a**2, np.arange(terms + 1)
    whole = chi - weight @ orders <= MISSED * chi
    weight *= np.where(whole, chi / (weight @ orders), 1.0)[:, None]  # g(1) = chi, which is known to a digit more
    beyond = np.where(whole, 0.0, sigma_w**2 / q * left_over(a, square))
    sums = beyond + np.cumsum(weight[:, :0:-1], axis=1)[:, ::-1].T

    def step(distance: Array, at: Chosen) -> Array:
        value, slope = polynomial(sums[:, at], 1 - distance)
        gap = without_rounding(value - 1, 1.0)
        return np.clip(distance + gap / np.where(slope > 0, slope, np.inf), 0.0, 1.0)

    distance = newton(step, np.zeros(q.shape))
    slope = np.sum(weight[:, 1:] * orders[1:] * powers(1 - distance, terms), axis=1)
    return distance, slope, (distance > 0) & (whole | (missed(beyond, distance, terms) <= MISSED))


def missed(beyond: Array, distance: Array, terms: int) -> Array:
    """What the terms left out, whose T_k are at most `beyond`, add to g and to C' at most."""
    above = np.maximum(distance, 1 / (terms + 1))
    return np.where(distance < above, np.inf, beyond * (1 - distance) ** terms * np.maximum(1 / above, terms + 1))


def polynomial(coefficients: Array, c: Array) -> tuple[Array, Array]:
    """sum_k coefficients[k] c^k and its slope, by Horner's rule."""
    value, slope = np.zeros_like(c), np.zeros_like(c)
    for coefficient in coefficients[::-1]:
        slope = slope * c + value
        value = value * c + coefficient
    return value, slope


def by_integral(sigma_w: Array, q: Array, act: Activation) -> tuple[Array, Array]:
    """Newton on g, g' = (g - C')/(1 - c): the first step from c = 0 passes c*, the others come back without passing it."""

    def slope(q: Array, sigma_w: Array, distance: Array) -> Array:
        return sigma_w**2 * act.K_slope(q, 1 - distance)

    def step(distance: Array, at: Chosen) -> Array:
        value = sigma_w[at] ** 2 * gap(q[at], distance, act) / (q[at] * distance)
        fall = value - slope(q[at], sigma_w[at], distance)
        there = distance * (1 + without_rounding(value - 1, 1.0) / np.where(fall > 0, fall, 0.1))
        return np.clip(there, distance / 8, 1.0)

    distance = newton(step, np.full(q.shape, START))
    return distance, slope(q, sigma_w, distance)


def gap(q: Array, distance: Array, act: Activation) -> Array:
    """V - K(q, 1 - distance); where both are almost equal, as the integral of q K_slope between them."""
    found, whole = act.V(q) - act.K(q, 1 - distance), act.V(q)
    near = found < 0.1 * whole
    if near.any():
        place, weights = legendre(NODES)
        t = (1 + place) / 2  # 1 - c = distance t^2, in which an edge of K_slope at c = 1 is smooth
        inside = act.K_slope(q[near, None], 1 - distance[near, None] * t**2)
        found[near] = q[near] * distance[near] * np.sum(weights * t * inside, axis=1)
    return found
