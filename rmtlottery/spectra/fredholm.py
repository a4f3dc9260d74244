"""Fredholm determinants by a quadrature rule, which converges exponentially for analytic kernels [Bornemann 2010]."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, legendre


def kernel_eigenvalues(kernel: Callable[[Array, Array], Array], low: ArrayLike, high: ArrayLike, nodes: int) -> Array:
    """(..., nodes) rising eigenvalues of the integral operator of a symmetric kernel on (low, high), both of shape (...).

    det(1 - z K) is the product of 1 - z times each: right even where single small eigenvalues are not.
    """
    low, high = np.broadcast_arrays(np.asarray(low, float)[..., None], np.asarray(high, float)[..., None])
    place, weights = legendre(nodes)
    x, root = low + (high - low) * (1 + place) / 2, np.sqrt((high - low) * weights / 2)
    matrix = root[..., :, None] * kernel(x[..., :, None], x[..., None, :]) * root[..., None, :]
    return np.linalg.eigvalsh(matrix)
