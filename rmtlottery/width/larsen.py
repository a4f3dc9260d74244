"""The upper bound on the threshold of a quadratic well by Larsen et al. (2021), which asks for |u| alone."""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above, curved, target


def larsen_bound(curvatures: ArrayLike, radius: ArrayLike, loss: ArrayLike, *, counts: ArrayLike | None = None) -> Array:
    """sum_i R^2 / (R^2 + r_i^2), r_i^2 = 2 eps / h_i for L = 1/2 u^T H u; flat directions add nothing.

    For a loss without the 1/2 pass twice the curvatures. R is the distance |w_0 - w*|. `counts` are how many dimensions
    have each curvature. Broadcasts over radius and loss. At a loss of 0 it is the rank of H.
    """
    h = curved(curvatures, "curvatures")
    many = np.ones_like(h) if counts is None else above(counts, 0, "counts")
    if many.shape != h.shape:
        raise ValueError(f"counts of shape {many.shape} do not tell how many of each of {len(h)} curvatures there are")
    squares, eps = above(radius, 0, "radius")[..., None] ** 2, target(loss)[..., None]
    pull = squares * h
    shares = np.divide(pull, pull + 2 * eps, out=np.zeros(np.broadcast_shapes(pull.shape, eps.shape)), where=pull > 0)
    return (shares @ many)[()]
