"""What uniformly random subspaces of one space have in common, and how much of one is lost among several.

K subnets are kept in one vector of D numbers as the sum of their displacements A_k x_k, all as long, each along d directions
of its own. What is read as the displacement of one of them misses it by a share of its squared length. The `law` of A_k is
gaussian (columns of unit length, independent), orthonormal, or axes (each column a coordinate of its own, at random).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above

LAWS = ("gaussian", "orthonormal", "axes")


class Several(NamedTuple):
    """K, d/D, the share of weights that each touches, the cosine of any two, and the law of their columns."""

    many: Array
    share: Array
    touched: Array
    alike: Array
    law: str


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


def path_cosine(dim: ArrayLike, ambient: ArrayLike, *, signs: bool = False, law: str = "gaussian") -> Array:
    """Of A A^T g and A' A'^T g, the same gradient g down either's coordinates, or by their `signs`, as in Adam's first step.

    With a = d/D, or 2/pi of it by signs: a where columns are orthonormal, a/(1 + a) where they are gaussian and their
    products add to the length; along axes d/D either way, since signs agree where both have a coordinate. For large D.
    """
    share, kind = shared_energy(dim, ambient), known(law)
    part = share * (2 / np.pi if signs and kind != "axes" else 1.0)
    return np.asarray(part / (1 + part) if kind == "gaussian" else part)[()]


def interference(
    readout: str,
    subnets: ArrayLike,
    dim: ArrayLike,
    ambient: ArrayLike,
    *,
    touched: ArrayLike = 1.0,
    cosine: ArrayLike = 0.0,
    law: str = "gaussian",
) -> Array:
    """The share of a displacement's squared length that is missed, in expectation over the subspaces.

    `sum`: all is read, K - 1. `projection`: what lies within A_k, (K - 1) d/D. `mask`: the sum, in each weight times the
    share that a subnet's expected square is of all of theirs; if a subnet touches each weight with probability `touched`,
    alike where it does, 1 - (1 - (1 - p)^K)/(K p), and so 1 - 1/K if all touch all. `unmixed`: the A_k x_k of least squares
    over all subnets, the shortest x: nothing up to K d = D, and then 1 - D/(K d), of gaussian columns (1 - 1/K) times that,
    for large D; along axes two that share a weight share what is there, as by a mask.

    Where any two displacements have the cosine c, as those of one task may, `sum` and `projection` miss 1 + (K - 2) c times
    as much; the others are told as if there was none.
    """
    many, share = whole(subnets), shared_energy(dim, ambient)
    part, alike = above(touched, 1e-12, "touched"), above(cosine, -1, "cosine")
    if (part > 1).any():
        raise ValueError(f"touched = {part.max():g} is no probability")
    if (alike > 1).any():
        raise ValueError(f"cosine = {alike.max():g} is more than 1")
    if readout not in READOUTS:
        raise ValueError(f"{readout!r} is no read-out: take one of {', '.join(READOUTS)}")
    many, share, part, alike = np.broadcast_arrays(many, share, part, alike)
    return np.asarray(READOUTS[readout](Several(many, share, part, alike, known(law))))[()]


def known(law: str) -> str:
    if law not in LAWS:
        raise ValueError(f"{law!r} is no law of columns: take one of {', '.join(LAWS)}")
    return law


def whole(subnets: ArrayLike) -> Array:
    many = above(subnets, 1, "subnets")
    if (many != np.round(many)).any():
        raise ValueError(f"subnets = {many[many != np.round(many)].flat[0]:g} is no whole number")
    return many


def summed(of: Several) -> Array:
    return (of.many - 1) * np.maximum(1 + (of.many - 2) * of.alike, 0.0)


def projected(of: Several) -> Array:
    return of.share * summed(of)


def masked(of: Several) -> Array:
    return 1 - (1 - (1 - of.touched) ** of.many) / (of.many * of.touched)


def unmixed(of: Several) -> Array:
    if of.law == "axes":
        return masked(of)
    beyond = 1 - 1 / np.maximum(of.many * of.share, 1.0)
    return beyond if of.law == "orthonormal" else (1 - 1 / of.many) * beyond


READOUTS: dict[str, Callable[[Several], Array]] = {
    "sum": summed,
    "projection": projected,
    "mask": masked,
    "unmixed": unmixed,
}
