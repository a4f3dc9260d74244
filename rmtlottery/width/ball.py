"""A ball seen from outside: the one body whose probability of being hit is known for every dimension."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above


def ball_hit_probability(dim: ArrayLike, ambient: ArrayLike, radius: ArrayLike, distance: ArrayLike) -> Array:
    """That a uniformly random subspace of `dim` directions meets a ball whose centre is `distance` away.

    The squared share of a unit vector that lies across the subspace has the law Beta((D - d)/2, d/2): its distribution
    function at r^2/R^2. It is 1 within the ball, where radius >= distance, 0 outside for d = 0 and 1 for d = D.
    """
    d, ambients = above(dim, 0, "dim"), above(ambient, 1, "ambient")
    if (d > ambients).any():
        raise ValueError(f"dim = {d.max():g} is more than ambient = {ambients.min():g}")
    r, far = above(radius, 0, "radius"), above(distance, 0, "distance")
    d, ambients, r, far = np.broadcast_arrays(d, ambients, r, far)
    share = np.divide(r, far, out=np.ones_like(far), where=r < far)
    inside = np.maximum((ambients - d) / 2, 1e-300), np.maximum(d / 2, 1e-300)
    hit = np.where(d == 0, 0.0, np.where(d == ambients, 1.0, betainc(*inside, share**2)))
    return np.where(r >= far, 1.0, hit)[()]
