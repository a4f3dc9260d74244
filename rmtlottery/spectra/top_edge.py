"""The largest eigenvalue of a product of free matrices: the first minimum of log z(tau) as tau rises from 0."""

import numpy as np
from scipy.optimize import brentq

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.factors import Chain
from rmtlottery.spectra.gain_law import Law

GRID = np.linspace(-25.0, 25.0, 61)
STEPS = 200
ROUNDING = 1e-12
TINY = 1e-100


def log_edge(chain: Chain) -> float:
    """Where the minimum is only reached as tau -> infinity, log z there."""
    if chain.top_atom > -ROUNDING * chain.rank:
        return chain.log_top
    logs = np.log(chain.rank) + GRID
    rising = np.flatnonzero(slope(chain, logs) > 0)
    if not rising.size:
        return chain.log_top
    first = max(rising[0], 1)
    log_tau = brentq(lambda g: float(slope(chain, np.array([g]))[0]), logs[first - 1], logs[first], xtol=1e-9)
    return float(log_z(chain, np.array([log_tau]))[0])


def log_z(chain: Chain, log_tau: Array) -> Array:
    tau = np.exp(log_tau)
    explicit = sum(count * np.log(n + tau) for n, count in chain.terms.items())
    return (
        chain.scale
        + explicit
        + sum(t * np.log(law.top + gap(law, tau)) for t, law in zip(chain.times, chain.laws, strict=True))
    )


def slope(chain: Chain, log_tau: Array) -> Array:
    """d log z/d log tau."""
    tau = np.exp(log_tau)
    total = np.zeros(tau.shape) + sum(count * tau / (n + tau) for n, count in chain.terms.items())
    for times, law in zip(chain.times, chain.laws, strict=True):
        d = gap(law, tau)
        held, square = sums(law, d)
        moving = held > 0.999 * tau  # else y has come to rest on the largest x, which has next to no weight
        total -= times * np.where(moving, tau / ((law.top + d) * square), 0.0)
    return total


def gap(law: Law, tau: Array) -> Array:
    """y - top for the y above all x at which the sum of x/(y - x) is tau; next to 0 where the sum is never as large.

    1/tau is a concave function of y: from a y that is too small Newton's method rises to the root and never passes it.
    """
    trace = law.weights @ law.x
    single = (law.weights * law.x / tau[:, None] - (law.top - law.x)).max(axis=1)
    jensen = law.weights @ law.x**2 / trace + trace / tau - law.top
    d = np.maximum(np.maximum(single, jensen), TINY * law.top)
    for _ in range(STEPS):
        total, square = sums(law, d)
        move = total * (total / tau - 1) / square
        d = d + np.maximum(move, 0.0)
        if np.all(move <= 1e-14 * d):
            return d
    raise ArithmeticError(f"y - {law.top:g} for tau = {tau.max():.3g} is not found in {STEPS} Newton steps")


def sums(law: Law, d: Array) -> tuple[Array, Array]:
    """Of x/(y - x) and x/(y - x)^2."""
    inverse = 1 / (d[:, None] + (law.top - law.x))
    return inverse @ (law.weights * law.x), inverse**2 @ (law.weights * law.x)
