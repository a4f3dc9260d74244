"""What a layer's spectrum would be by chance: its values redrawn inside its actual mask, the layer as a matrix (m, n).

Compare shares of the sum of eigenvalues, |W|_F^2: "signs", "permuted" and "degrees" keep it, "gaussian" keeps only its mean.
"""

from collections.abc import Callable
from difflib import get_close_matches
from math import ceil, log2

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.gaussian import Array, whole

Mask = NDArray[np.bool_]


def redraw(weight: ArrayLike, mask: ArrayLike, kind: str, numbers: Generator | int) -> Array:
    """One layer of the null `kind`, a key of NULLS; 0 outside its mask. What `weight` holds outside `mask` plays no part."""
    weight, mask = layer(weight, mask)
    return null(kind)(weight, mask, np.random.default_rng(numbers))


def null_spectra(weight: ArrayLike, mask: ArrayLike, kind: str, redraws: int, numbers: Generator | int) -> Array:
    """Eigenvalues of W W^T on the short side, *not* divided by n, ascending, of each redraw: (redraws, min(m, n)).

    One redraw is held at a time. Dense throughout: a sparse Gram matrix saves time below a density of about .02 only, and
    there less than a quarter of a redraw.
    """
    weight, mask = layer(weight, mask)
    draw, numbers = null(kind), np.random.default_rng(numbers)
    return np.stack([gram_spectrum(draw(weight, mask, numbers)) for _ in range(whole(redraws, "redraws"))])


def gram_spectrum(weight: Array) -> Array:
    """Eigenvalues of W W^T or W^T W, whichever is smaller, ascending; what rounding makes of a 0 is given as 0."""
    short = weight if weight.shape[0] <= weight.shape[1] else weight.T
    values = np.linalg.eigvalsh(short @ short.T)
    return np.where(values > len(values) * np.finfo(float).eps * values[-1], values, 0.0)


def gaussian(weight: Array, mask: Mask, numbers: Generator) -> Array:
    """Independent N(0, mean square of the kept): centred whatever the mean of the kept is."""
    return filled(mask, numbers.normal(0.0, np.sqrt(np.mean(weight[mask] ** 2)), np.count_nonzero(mask)))


def signs(weight: Array, mask: Mask, numbers: Generator) -> Array:
    """Each sign by a fair coin, every magnitude in its place: the null of independent entries *given* their magnitudes."""
    coins = numbers.integers(0, 2, np.count_nonzero(mask), dtype=np.int8)
    return filled(mask, weight[mask] * (2 * coins - 1))


def permuted(weight: Array, mask: Mask, numbers: Generator) -> Array:
    """The kept values in any order, a mean included, over the kept places."""
    return filled(mask, numbers.permutation(weight[mask]))


def degrees(weight: Array, mask: Mask, numbers: Generator) -> Array:
    """The mask redrawn with the degrees of its rows and columns, and the kept values in any order over it."""
    return filled(rewired(mask, numbers), numbers.permutation(weight[mask]))


def filled(mask: Mask, values: Array) -> Array:
    matrix = np.zeros(mask.shape)
    matrix[mask] = values
    return matrix


NULLS: dict[str, Callable[[Array, Mask, Generator], Array]] = {
    "gaussian": gaussian,
    "signs": signs,
    "permuted": permuted,
    "degrees": degrees,
}


def rewired(mask: Mask, numbers: Generator) -> Mask:
    """A mask of the same row and column degrees, by curveball trades [Strona 2014] in rounds, each row in one trade a round.

    Every such mask is then equally likely in the limit [Carstens 2015]. Measured at 256 x 256, of the kept places beyond
    those that chance shares, a round leaves .50 at density .5 and .1, .63 at .01, whose rows are unequal: there
    2 log2(rows) + 4 rounds, 20 of them, leave 1e-4.
    """
    wired = np.array(mask if mask.shape[0] <= mask.shape[1] else mask.T, order="C")
    rows = len(wired)
    for _ in range(2 * ceil(log2(rows)) + 4):
        order = numbers.permutation(rows)
        for one, other in zip(order[: rows // 2], order[rows // 2 :], strict=False):
            trade(wired[one], wired[other], numbers)
    return wired if wired.shape == mask.shape else wired.T


def trade(one: Mask, other: Mask, numbers: Generator) -> None:
    """Deal anew, in place, the columns that only one of two rows holds."""
    apart = np.flatnonzero(one ^ other)
    dealt = numbers.permutation(one[apart])
    one[apart], other[apart] = dealt, ~dealt


def null(kind: str) -> Callable[[Array, Mask, Generator], Array]:
    if kind not in NULLS:
        near = get_close_matches(str(kind), NULLS, n=1, cutoff=0.0)[0]
        raise ValueError(f"no null is called {kind!r}: do you mean {near!r}, of {', '.join(NULLS)}?")
    return NULLS[kind]


def layer(weight: ArrayLike, mask: ArrayLike) -> tuple[Array, Mask]:
    """A matrix and its mask, refused where they do not go together or keep nothing."""
    weight, mask = np.asarray(weight, float), np.asarray(mask)
    if weight.ndim != 2 or weight.shape != mask.shape:
        raise ValueError(f"weight {weight.shape} and mask {mask.shape} are no two matrices of one shape: flatten both alike")
    if mask.dtype != bool:
        raise ValueError(f"the mask is of {mask.dtype}: give booleans, True where a weight is kept")
    if not mask.any():
        raise ValueError(f"the mask {mask.shape} keeps no weight: there is nothing to redraw")
    if not np.isfinite(weight[mask]).all():
        raise ValueError(f"{np.sum(~np.isfinite(weight[mask]))} kept weights are not finite: mask them, or mend them")
    return weight, mask
