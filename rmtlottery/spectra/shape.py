"""Sizes and ranks of one layer, from the eigenvalues of W W^T on its short side: its squared singular values, zeros too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array

NAN = float("nan")


class Shape(NamedTuple):
    """Of a layer of zeros the norms and the hard rank are 0, and the rest is nan.

    `stable_rank` is sum/max of the eigenvalues and `participation` sum^2/(sum of squares). `entropy` is that of their shares
    over the log of their number, so it lies in [0, 1]; of a single one it is nan. `effective_rank` is exp of the entropy of
    the shares of the *singular values*, as in [Roy and Vetterli 2007].
    """

    frobenius: float
    spectral: float
    stable_rank: float
    participation: float
    entropy: float
    effective_rank: float
    hard_rank: int


def shape_of(eigenvalues: ArrayLike, *, long_side: int | None = None) -> Shape:
    """Eigenvalues in any order; the hard rank takes the long side for its tolerance, or their number if none is given."""
    held = spectrum(eigenvalues)
    total, largest = float(held.sum()), float(held.max())
    norms = total**0.5, largest**0.5
    if not largest > 0:
        return Shape(*norms, NAN, NAN, NAN, NAN, 0)
    held = held / largest  # so that no square is lost below the least float
    ranks = float(held.sum()), float(held.sum() ** 2 / np.sum(held**2))
    normalised = entropy(held) / np.log(held.size) if held.size > 1 else NAN
    return Shape(*norms, *ranks, normalised, float(np.exp(entropy(np.sqrt(held)))), hard_rank(held, long_side))


def entropy(weights: Array) -> float:
    """Of their shares, in nats; a share of 0 adds nothing."""
    shares = weights[weights > 0] / weights.sum()
    return float(-np.sum(shares * np.log(shares)))


def hard_rank(eigenvalues: Array, long_side: int | None = None) -> int:
    """Singular values above the tolerance of numpy.linalg.matrix_rank: largest x long side x 2.2e-16."""
    singular = np.sqrt(eigenvalues)
    return int(np.sum(singular > singular.max() * (long_side or singular.size) * np.finfo(float).eps))


def spectrum(eigenvalues: ArrayLike) -> Array:
    """The eigenvalues as one row, refused where one is negative: eigvalsh leaves such, and they have no rank."""
    held = np.ravel(np.asarray(eigenvalues, float))
    wrong = held[~((held >= 0) & (held < np.inf))]
    if wrong.size or not held.size:
        raise ValueError(f"of {held.size} eigenvalues {wrong[:1]} is not finite and at least 0: square the singular values")
    return held
