"""What uniformly random subspaces of one space have in common, and how much of one is lost among several.

K subnets are kept in one vector of D numbers as the sum of their displacements A_k x_k, all as long, each along d directions
of its own. What is read as the displacement of one of them misses it by a share of its squared length.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above


def shared_energy(dim: ArrayLike, ambient: ArrayLike) -> Array:
    """d/D: the mean squared cosine of principal angles, and the share of any vector's square within a subspace. Exact."""
    d, ambients = above(dim, 0, "dim"), above(ambient, 1, "ambient")
    if (d > ambients).any():
        raise ValueError(f"dim = {d.max():g} is more than ambient = {ambients.min():g}")
    return (d / ambients)[()]


def largest_shared(dim: ArrayLike, ambient: ArrayLike) -> Array:
    """The squared cosine of the least principal angle of two subspaces: 4 d/D (1 - d/D) where D is large, and 1 where they
    are bound to meet, from d = D/2 on (the edge of the Jacobi ensemble, Wachter 1980)."""
    share = shared_energy(dim, ambient)
    return np.where(share < 0.5, 4 * share * (1 - share), 1.0)[()]


def interference(
    readout: str,
    subnets: ArrayLike,
    dim: ArrayLike,
    ambient: ArrayLike,
    touched: ArrayLike = 1.0,
    cosine: ArrayLike = 0.0,
) -> Array:
    """The share of a displacement's squared length that is missed, in expectation over the subspaces.

    `sum`: all is read, K - 1. `projection`: what lies within A_k, (K - 1) d/D. `unmixed`: the A_k x_k of least squares over
    all subnets, the shortest x: nothing up to K d = D, and then (1 - 1/K)(1 - D/(K d)) where D is large. `mask`: the sum, in
    each weight times the share that a subnet's expected square is of all of theirs; if a subnet touches each weight with
    probability `touched`, alike where it does, 1 - (1 - (1 - p)^K)/(K p), and so 1 - 1/K if all touch all.

    Where any two displacements have the cosine c, as those of one task may, `sum` and `projection` miss 1 + (K - 2) c times
    as much; the others are told as if there was none.
    """
    many, share = above(subnets, 1, "subnets"), shared_energy(dim, ambient)
    part, alike = above(touched, 1e-12, "touched"), above(cosine, -1, "cosine")
    if (part > 1).any():
        raise ValueError(f"touched = {part.max():g} is no probability")
    if (alike > 1).any():
        raise ValueError(f"cosine = {alike.max():g} is more than 1")
    if readout not in READOUTS:
        raise ValueError(f"{readout!r} is no read-out: take one of {', '.join(READOUTS)}")
    return np.asarray(READOUTS[readout](*np.broadcast_arrays(many, share, part, alike)))[()]


def summed(many: Array, share: Array, part: Array, alike: Array) -> Array:
    return (many - 1) * np.maximum(1 + (many - 2) * alike, 0.0)


def projected(many: Array, share: Array, part: Array, alike: Array) -> Array:
    return share * summed(many, share, part, alike)


def masked(many: Array, share: Array, part: Array, alike: Array) -> Array:
    return 1 - (1 - (1 - part) ** many) / (many * part)


def unmixed(many: Array, share: Array, part: Array, alike: Array) -> Array:
    load = np.maximum(many * share, 1.0)
    return (1 - 1 / many) * (1 - 1 / load)


READOUTS: dict[str, Callable[[Array, Array, Array, Array], Array]] = {
    "sum": summed,
    "projection": projected,
    "mask": masked,
    "unmixed": unmixed,
}
