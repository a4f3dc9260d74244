"""q* and chi of tanh on a 100 x 100 grid: ours against scipy.integrate.quad, same Newton steps; whole_s: c* and xi_c too."""

import statistics
from collections.abc import Callable

import numpy as np
from scipy.integrate import quad

import rmtlottery as rl
from benchmarks.clock import pairs, seconds
from rmtlottery.meanfield.fixed_points import length_fixed_point

TANH = rl.meanfield.activation("tanh")
W, B = (axis.ravel() for axis in np.meshgrid(np.linspace(0.5, 4, 100), np.linspace(0.01, 1, 100)))


def measure() -> dict[str, float]:
    assert np.allclose(ours(), other(), rtol=1e-9)
    whole = statistics.median(seconds(lambda: rl.meanfield.fixed_point(W, B)) for _ in range(5))
    return pairs(ours, other, runs=3) | {"whole_s": whole}


def ours() -> np.ndarray:
    q = length_fixed_point(W, B, TANH)
    return np.array([q, W**2 * TANH.D(q)])


def other() -> np.ndarray:
    return np.array([by_quad(w, b) for w, b in zip(W.tolist(), B.tolist(), strict=True)]).T


def by_quad(sigma_w: float, sigma_b: float) -> tuple[float, float]:
    q, moved = sigma_w**2 + sigma_b**2, np.inf
    while moved > 1e-10 * q:
        slope = sigma_w**2 * mean(lambda h: np.tanh(h) * h / np.cosh(h) ** 2, q) / q
        step = (sigma_w**2 * mean(lambda h: np.tanh(h) ** 2, q) + sigma_b**2 - q) / (1 - slope)
        q, moved = q + step, abs(step)
    return q, sigma_w**2 * mean(lambda h: np.cosh(h) ** -4.0, q)


def mean(f: Callable[[float], float], q: float) -> float:
    root = q**0.5
    return quad(lambda z: 2 * f(root * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi), 0, 9, epsrel=1e-10, limit=200)[0]
