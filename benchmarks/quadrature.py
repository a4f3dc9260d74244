"""V(q) of tanh at 50 lengths: our rule against scipy.integrate.quad at the same accuracy (1e-10)."""

from collections.abc import Iterator

import numpy as np
from scipy.integrate import quad

import rmtlottery as rl
from benchmarks._clock import Row, pairs

DIFFERS = "Ours takes all lengths in one call and has a fixed rule; quad takes them one by one and controls its error."
LENGTHS = np.logspace(-3, 3, 50)


def measure() -> Iterator[Row]:
    assert np.allclose(ours(), other(), rtol=1e-9)
    yield pairs("50 lengths", ours, other)


def ours() -> np.ndarray:
    return rl.meanfield.length_map(LENGTHS, 1.0, 0.0)


def other() -> np.ndarray:
    def integrand(z: float, root: float) -> float:
        return 2 * np.tanh(root * z) ** 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    return np.array([quad(integrand, 0, 9, args=(q**0.5,), epsrel=1e-10, limit=200)[0] for q in LENGTHS])
