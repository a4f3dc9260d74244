"""Wells and subspaces of the tests, drawn without the package."""

import numpy as np


def well(dims, *, flat=0, seed=0, spread=1.5):
    """Curvatures over some decades with `flat` zeros among them, and a displacement that tells them apart."""
    rng = np.random.default_rng(seed)
    curvatures = np.exp(spread * rng.standard_normal(dims))
    curvatures[rng.permutation(dims)[:flat]] = 0.0
    return curvatures, rng.standard_normal(dims) * np.exp(0.5 * rng.standard_normal(dims))


def initial_loss(curvatures, displacement):
    return 0.5 * np.sum(curvatures * displacement**2)


def directions(rng, draws, dims, dim):
    """Orthonormal columns of uniformly random subspaces, one for each draw."""
    return np.linalg.qr(rng.standard_normal((draws, dims, dim)))[0]


def loss_within(curvatures, displacement, columns):
    """The least of 1/2 |H^(1/2) (u + A x)|^2 over x, by least squares."""
    root = np.sqrt(curvatures)
    x, *_ = np.linalg.lstsq(root[:, None] * columns, -root * displacement, rcond=None)
    return 0.5 * np.sum((root * (displacement + columns @ x)) ** 2)
