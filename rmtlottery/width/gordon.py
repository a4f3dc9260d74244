"""Gordon's escape through the mesh: when a random subspace misses a body of small Gaussian width."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above


def mean_length(dim: ArrayLike) -> Array:
    """alpha_k = E|g| of a standard Gaussian vector of k entries: sqrt 2 Gamma((k+1)/2) / Gamma(k/2), and 0 for k = 0."""
    k = above(dim, 0, "dim")
    held = np.maximum(k, 1e-300)
    return np.where(k > 0, np.sqrt(2) * poch(held / 2, 0.5), 0.0)[()]


def gordon_bound(codimension: ArrayLike, width: ArrayLike) -> Array:
    """At most so probable is it that a uniformly random subspace of that codimension meets a closed part of the unit sphere.

    exp(-(alpha_k - w)^2 / 2) where alpha_k > w, else 1 [Gordon 1988, with the constant of Gaussian concentration]. It says
    nothing of hits: only for convex cones is a small codimension enough [Amelunxen, Lotz, McCoy & Tropp 2014].
    """
    return np.exp(-(spare(codimension, width) ** 2) / 2)[()]


def gordon_bound_of_1988(codimension: ArrayLike, width: ArrayLike) -> Array:
    """The same with Gordon's own constants, 7/2 exp(-(alpha_k - w)^2 / 18), never above 1."""
    return np.minimum(1.0, 3.5 * np.exp(-(spare(codimension, width) ** 2) / 18))[()]


def spare(codimension: ArrayLike, width: ArrayLike) -> Array:
    """By how much alpha_k is more than w."""
    held = np.asarray(width, float)
    if np.isnan(held).any():
        raise ValueError("width = nan bounds nothing")
    return np.maximum(0.0, np.asarray(mean_length(codimension)) - held)
