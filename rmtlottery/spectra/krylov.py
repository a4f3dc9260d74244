"""Many linear equations (1 - K) v = b at once, each with its own K, which only needs to be applied."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
APPLICATIONS = 30
RESIDUAL = 1e-3


def shifted_solve(apply: Callable[[Complex], Complex], right: Complex) -> Complex:
    """v of shape (equations, unknowns), by generalised conjugate residuals [Eisenstat, Elman and Schultz 1983].

    Until each residual is RESIDUAL of its right-hand side, or shorter steps would be rounding: enough for a Newton method.
    """
    found, residual, goal = np.zeros_like(right), right, RESIDUAL * np.linalg.norm(right, axis=1)
    steps: list[tuple[Complex, Complex]] = []
    for _ in range(APPLICATIONS):
        step, image = residual, residual - apply(residual)
        for old, old_image in steps:
            overlap = inner(old_image, image)
            step, image = step - overlap * old, image - overlap * old_image
        length = np.linalg.norm(image, axis=1, keepdims=True)
        length[length == 0] = 1.0
        steps.append((step / length, image / length))
        size = inner(steps[-1][1], residual)
        found, residual = found + size * steps[-1][0], residual - size * steps[-1][1]
        if np.all(np.linalg.norm(residual, axis=1) <= goal):
            break
    return found


def inner(left: Complex, right: Complex) -> Complex:
    return np.einsum("pi,pi->p", left.conj(), right)[:, None]
