"""tau(z) of a product of free matrices, and its log-determinant, by Newton's method on log z(tau) - log z.

The unknowns are s = log(-tau/(rank + tau)) and, for each law, eta = log(-y). On the negative axis, z = -lambda, all are
real and rise or fall with each other: a table there gives the start. From it z = lambda e^(i angle) is turned to
angle = 0; on the way Im s and -Im eta stay between 0 and pi, as the subordination functions map the upper half plane
into itself [Biane 1998]. s and eta keep the digits of what is small: lambda down to the smallest float.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.factors import Chain
from rmtlottery.spectra.gain_law import Complex, Law

ANGLES = (0.8, 0.6, 0.45, 0.3, 0.2, 0.12, 0.07, 0.04, 0.02, 0.01, 0.004, 0.001, 0.0)
STEPS = 2  # of Newton at each angle but the last
LAST = 200
STRIDE = 2.0
NEAR = 1e-13
TOLERANCE = 1e-8  # averages over gains are right to 1e-9
BLOCK = 2**16  # numbers at a time
FAR = 1500.0


class Point(NamedTuple):
    """At some values of z: s, eta of each law, and how far log z(tau) and the laws are from where they should be."""

    s: Complex
    eta: Complex
    error: Array


def softplus(s: Complex) -> Complex:
    """log(1 + e^s) without overflow."""
    right = s.real > 0
    return np.where(right, s, 0.0) + np.log1p(np.exp(np.where(right, -s, s)))


def upright(w: Complex, side: complex) -> Complex:
    """log w with the cut on the far side of the half plane of `side`, +-i: rounding across the real axis is no turn."""
    return np.log(w / side) + np.log(side)


def log_shifted(n: float, s: Complex, rank: float) -> tuple[Complex, Complex]:
    """log(n + tau), of n = 0 log(-tau), and its derivative by s."""
    rest, tau = np.exp(-softplus(s)), np.exp(-softplus(-s))  # of the rank: 1 + tau/rank and -tau/rank
    if n == 0:
        return np.log(rank) - softplus(-s), rest
    if n == rank:
        return np.log(rank) - softplus(s), -tau
    shifted = n - rank + rank * rest
    return upright(shifted, -1j), -rank * tau * rest / shifted


def log_z(chain: Chain, s: Complex) -> tuple[Complex, Complex]:
    """The part of log(-z) that is explicit, and its derivative by s."""
    value, slope = np.full(s.shape, chain.scale + 0j), np.zeros(s.shape, complex)
    for n, count in chain.terms.items():
        log, derivative = log_shifted(n, s, chain.rank)
        value, slope = value + count * log, slope + count * derivative
    return value, slope


def odds(law: Law, s: Complex, rank: float) -> tuple[Complex, Complex]:
    """log(-tau/(r + tau)) for the rank r of a law, and its derivative by s."""
    (log, slope), (rest, fall) = log_shifted(0.0, s, rank), log_shifted(law.rank, s, rank)
    return log - rest, slope - fall


def law_odds(law: Law, eta: Complex) -> tuple[Complex, Complex]:
    """The same as a function of y = -e^eta, and its derivative by eta, at points in one row."""
    p = np.exp(eta)[:, None]
    inverse = 1 / (law.below + p)
    small, large = p * inverse, law.below * inverse
    b, a, c = small @ law.below_weights, large @ law.below_weights, (small * large) @ law.below_weights
    return upright(a / b, 1j), -c * (a + b) / (a * b)


def newton_step(chain: Chain, target: Complex, s: Complex, eta: Complex) -> tuple[Complex, Complex, Array]:
    """New s and eta, and the error of the old."""
    explicit, slope = log_z(chain, s)
    gap, error = target - explicit - chain.times @ eta, np.zeros(s.shape)
    missing, gain = np.empty_like(eta), np.empty_like(eta)
    for row, law in enumerate(chain.laws):
        wanted, rise = odds(law, s, chain.rank)
        held, fall = law_odds(law, eta[row])
        missing[row], gain[row] = (wanted - held) / fall, rise / fall
        error = np.maximum(error, np.abs(wanted - held))
    error = np.maximum(error, np.abs(gap))
    move = (gap - chain.times @ missing) / (slope + chain.times @ gain)
    return stepped(s, move, 1.0), stepped(eta, missing + gain * move, -1.0), error


def stepped(here: Complex, move: Complex, side: float) -> Complex:
    """No long stride, and not out of the half plane."""
    there = here + move / np.maximum(np.abs(move) / STRIDE, 1.0)
    return there.real + 1j * side * np.clip(side * there.imag, 0.0, np.pi)


def turned(chain: Chain, log_lambda: Array, angles: tuple[float, ...] = ANGLES) -> Point:
    """From the negative axis to lambda + i0."""
    s, eta = start(chain, log_lambda)
    for angle in angles[:-1]:
        for _ in range(STEPS):
            s, eta, _ = newton_step(chain, log_lambda + 1j * np.pi * (angle - 1), s, eta)
    return settled(chain, log_lambda - 1j * np.pi, s, eta)


def settled(chain: Chain, target: Complex, s: Complex, eta: Complex) -> Point:
    """Newton until nothing is gained."""
    best = Point(s, eta, np.full(s.shape, np.inf))
    at = np.arange(s.size)
    for _ in range(LAST):
        s_next, eta_next, error = newton_step(chain, target[at], s, eta)
        better = error < best.error[at]
        best.s[at[better]], best.error[at[better]] = s[better], error[better]
        best.eta[:, at[better]] = eta[:, better]
        moving = (error > NEAR) & (better | (best.error[at] > TOLERANCE))
        at, s, eta = at[moving], s_next[moving], eta_next[:, moving]
        if not at.size:
            break
    return best


def start(chain: Chain, log_lambda: Array) -> tuple[Complex, Complex]:
    """s and eta at z = -lambda."""
    s, eta, log = start_table(chain)
    place = np.interp(log_lambda, log, s)
    rows = [np.interp(place, s[::-1], row[::-1]) for row in eta]
    return place + 0j, np.array(rows).reshape(-1, place.size) + 0j


@lru_cache(maxsize=64)
def start_table(chain: Chain) -> tuple[Array, Array, Array]:
    """s, eta of each law and log lambda, rising, on the negative axis: s and each eta decide the others."""
    s = np.concatenate([[FAR, FAR / 4], np.linspace(60, -60, 481), [-FAR / 4, -FAR]]) + 0j
    rows = [np.interp(odds(law, s, chain.rank)[0].real, *law_table(law)) for law in chain.laws]
    eta = np.array(rows).reshape(-1, s.size)
    return s.real, eta, (log_z(chain, s)[0] + chain.times @ eta).real


@lru_cache(maxsize=64)
def law_table(law: Law) -> tuple[Array, Array]:
    """The odds of a law, rising, and eta there."""
    low, high = np.log(law.x.min()), np.log(law.x.max())
    eta = np.concatenate(
        [np.linspace(low - 40, low, 21)[:-1], np.linspace(low, high, 200), np.linspace(high, high + 40, 21)[1:]]
    )
    p = np.exp(eta)[:, None]
    logs = np.log(((law.x / (law.x + p)) @ law.weights) / ((p / (law.x + p)) @ law.weights))
    ends = np.array([eta[0] - FAR, *eta, eta[-1] + FAR]), np.array([logs[0] + FAR, *logs, logs[-1] - FAR])
    return ends[1][::-1], ends[0][::-1]


def solved(chain: Chain, log_lambda: Array) -> Point:
    """At lambda + i0, or an error where no solution is found."""
    largest = max([1, *(law.below.size for law in chain.laws)])
    parts = np.array_split(log_lambda, max(1, -(-log_lambda.size * largest // BLOCK)))
    points = [turned(chain, part) for part in parts if part.size]
    found = Point(*(np.concatenate(part, axis=-1) for part in zip(*points, strict=True)))
    wrong = np.flatnonzero(found.error > TOLERANCE)
    if wrong.size:
        finer = tuple(np.linspace(1, 0.05, 60)) + tuple(np.geomspace(0.05, 1e-6, 120)) + (0.0,)
        again = turned(chain, log_lambda[wrong], finer)
        found.s[wrong], found.eta[:, wrong], found.error[wrong] = again
    wrong = np.flatnonzero(found.error > TOLERANCE)
    if wrong.size:
        raise ArithmeticError(
            f"no solution at {wrong.size} of {log_lambda.size} points, as x = {np.exp(log_lambda[wrong[0]]):.6g}, "
            f"where the error is still {found.error[wrong[0]]:.2g}"
        )
    return found


def tau(chain: Chain, point: Point) -> Complex:
    return -chain.rank * np.exp(-softplus(-point.s))


def log_determinant(chain: Chain, point: Point) -> Complex:
    """log det(1 - J J^T/z); its imaginary part is pi times the number of eigenvalues above lambda.

    It is the integral of tau d log z, in closed form: tau - n log(1 + tau/n) of each log(n + tau), and of a law its own.
    """
    here = tau(chain, point)
    total = np.zeros(here.shape, complex)
    for n, count in chain.terms.items():
        total += count * (here - n * (log_shifted(n, point.s, chain.rank)[0] - np.log(n)) if n else here)
    for row, (law, times) in enumerate(zip(chain.laws, chain.times, strict=True)):
        total += times * (np.log1p(law.below / np.exp(point.eta[row])[:, None]) @ law.below_weights)
    return total
