"""Closed forms of Gaussian averages: erf [Williams 1997], piecewise linear [Cho and Saul 2009], hard tanh, gelu.

A pair has variances q1 and q2 and correlation c. Written so that nothing cancels for c near 1, nor for large q.
"""

import numpy as np
from scipy.special import gammainc, gammaincc

from rmtlottery.meanfield.gaussian import Array, legendre

NODES = 100
SCALE = 0.004


def determinant(q1: Array, q2: Array, c: Array) -> Array:
    """(1 + q1)(1 + q2) - c^2 q1 q2."""
    return 1 + q1 + q2 + q1 * q2 * (1 - c) * (1 + c)


def erf_pair(q1: Array, q2: Array, c: Array) -> Array:
    """(2/pi) asin(2 c sqrt(q1 q2)/sqrt((1 + 2 q1)(1 + 2 q2))), as an arctangent."""
    return 2 / np.pi * np.arctan2(2 * c * np.sqrt(q1 * q2), np.sqrt(determinant(2 * q1, 2 * q2, c)))


def leaky_pair(a: float, q1: Array, q2: Array, c: Array) -> Array:
    """a K of the line + (1-a)^2 K of relu, the arc-cosine kernel of degree 1."""
    arc = np.sqrt((1 - c) * (1 + c)) + c * np.arccos(-c)
    return np.sqrt(q1 * q2) * (a * c + (1 - a) ** 2 / (2 * np.pi) * arc)


def leaky_slope_pair(a: float, c: Array) -> Array:
    """a + (1-a)^2 (pi - acos c)/(2 pi), the arc-cosine kernel of degree 0: no matter how long the two are."""
    return a + (1 - a) ** 2 * np.arccos(-c) / (2 * np.pi)


def half_square(q: Array) -> Array:
    """1/(2q): half the square of where |h| = 1, in standard deviations."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1 / (2 * q)


def inside(power: int, q: Array) -> Array:
    """E z^power where sqrt(q)|z| < 1, over E z^power."""
    return gammainc((power + 1) / 2, half_square(q))


def outside(q: Array) -> Array:
    """How often sqrt(q)|z| > 1."""
    return gammaincc(0.5, half_square(q))


def hard_tanh_pair(q1: Array, q2: Array, c: Array) -> Array:
    """sqrt(q1 q2) times the integral over r from 0 to c of P(both |u| < 1 at correlation r), which is K_slope.

    By parts, sqrt(q1 q2) [c P(0) + int_0^|c| (|c| - r) P'(r) dr]; K is odd in c.
    """
    size = np.abs(c)
    r, corners = corner_densities(q1, q2, size)
    ramp = np.sum((size[..., None] - r) * corners, axis=-1)
    return np.sqrt(q1 * q2) * np.sign(c) * (size * inside(0, q1) * inside(0, q2) + ramp)


def hard_tanh_slope_pair(q1: Array, q2: Array, c: Array) -> Array:
    """P(both |u| < 1): its slope in c is the binormal density summed over the four corners [Plackett 1954]."""
    _, corners = corner_densities(q1, q2, np.abs(c))
    return inside(0, q1) * inside(0, q2) + np.sum(corners, axis=-1)


def corner_densities(q1: Array, q2: Array, c: Array) -> tuple[Array, Array]:
    """r between 0 and c, and P'(r) dr at each, r = cos(psi); nodes are dense near psi = 0, where P' turns for c near 1."""
    place, weights = legendre(NODES)
    low, high = np.arcsinh(np.arccos(c) / SCALE), np.arcsinh(np.pi / 2 / SCALE)
    span = (high - low)[..., None] / 2
    t = low[..., None] + span * (1 + place)
    psi = SCALE * np.sinh(t)
    r, sine = np.cos(psi), np.sin(psi)
    with np.errstate(divide="ignore", over="ignore"):
        a, b = (1 / np.sqrt(np.maximum(q[..., None], 1e-300)) for q in (q1, q2))
        apart = np.square((a - b) / sine) / 2
        same, opposite = (np.exp(-apart - a * b / (1 + r)), np.exp(-apart - a * b / (2 * np.sin(psi / 2) ** 2)))
    return r, (same - opposite) / np.pi * weights * span * SCALE * np.cosh(t)


def gelu_parts(q1: Array, q2: Array, c: Array) -> tuple[Array, Array, Array, Array]:
    """E Phi(u1) Phi(u2), E of both densities, the covariance, and (2 + q1 + q2)/((1 + q1)(1 + q2))."""
    both, across = determinant(q1, q2, c), c * np.sqrt(q1 * q2)
    chance = 0.25 + np.arctan2(across, np.sqrt(both)) / (2 * np.pi)
    return chance, 1 / (2 * np.pi * np.sqrt(both)), across, (2 + q1 + q2) / ((1 + q1) * (1 + q2))


def gelu_pair(q1: Array, q2: Array, c: Array) -> Array:
    """Stein's identity twice on E u1 u2 Phi(u1) Phi(u2) [Tsuchida et al. 2021]."""
    chance, bell, across, share = gelu_parts(q1, q2, c)
    return across * chance + bell * q1 * q2 * ((1 - c) * (1 + c) + c**2 * share)


def gelu_slope_pair(q1: Array, q2: Array, c: Array) -> Array:
    """The derivative of gelu_pair by the covariance."""
    chance, bell, across, share = gelu_parts(q1, q2, c)
    inner = (across**2 * share - (1 + q1 + q2)) / determinant(q1, q2, c)
    return chance + bell * across * (2 * share + inner)


def gelu_slope_square(q: Array) -> Array:
    """gelu_slope_pair at c = 1, its parts joined so that nothing cancels for large q."""
    chance = 0.25 + np.arctan2(q, np.sqrt(1 + 2 * q)) / (2 * np.pi)
    return chance + q * (3 + 5 * q) / (2 * np.pi * (1 + q) * (1 + 2 * q) ** 1.5)


def gelu_square_slope(q: Array) -> Array:
    """dV/dq: a sum of positive terms."""
    chance = 0.25 + np.arctan2(q, np.sqrt(1 + 2 * q)) / (2 * np.pi)
    direct = q / (2 * np.pi * (1 + q) * np.sqrt(1 + 2 * q))
    return chance + direct + q * (2 + 4 * q + q**2) / (np.pi * (1 + q) ** 2 * (1 + 2 * q) ** 1.5)
