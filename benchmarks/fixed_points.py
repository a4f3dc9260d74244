"""q* and chi of tanh on a 100 x 100 grid: ours against scipy.integrate.quad with the same Newton steps."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.integrate import quad

import rmtlottery as rl
from benchmarks._clock import Row, alone, pairs
from rmtlottery.meanfield.fixed_points import length_fixed_point

DIFFERS = (
    "Ours takes the whole grid as one array and has a fixed rule; quad takes point by point and controls its error. The "
    "second row is ours with c* and both depth scales, which the other does not find."
)
TANH = rl.meanfield.activation("tanh")
W, B = (axis.ravel() for axis in np.meshgrid(np.linspace(0.5, 4, 100), np.linspace(0.01, 1, 100)))


def measure() -> Iterator[Row]:
    some = slice(None, None, 97)
    assert np.allclose(ours(W[some], B[some]), other(W[some], B[some]), rtol=1e-9)
    yield pairs("q*, chi", lambda: ours(W, B), lambda: other(W, B), runs=3)
    yield alone("q*, chi, c*, depth scales", lambda: rl.meanfield.fixed_point(W, B))


def ours(sigma_w: np.ndarray, sigma_b: np.ndarray) -> np.ndarray:
    q = length_fixed_point(sigma_w, sigma_b, TANH)
    return np.array([q, sigma_w**2 * TANH.D(q)])


def other(sigma_w: np.ndarray, sigma_b: np.ndarray) -> np.ndarray:
    return np.array([by_quad(w, b) for w, b in zip(sigma_w.tolist(), sigma_b.tolist(), strict=True)]).T


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
