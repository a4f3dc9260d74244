"""The Marchenko-Pastur law of a measured matrix, in one step: no search over its variance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, whole
from rmtlottery.spectra.distance import ks_distance
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur

ROUNDING = 1e-6


class MarchenkoPasturFit(NamedTuple):
    """`ks`: the distance of all m eigenvalues, zeros included, from the law; `beyond`: how many lie above its upper edge."""

    law: MarchenkoPastur
    ks: float
    beyond: int


def fit_marchenko_pastur(eigenvalues: ArrayLike, shape: tuple[int, int], by: str = "moment") -> MarchenkoPasturFit:
    """The law of W W^T, W of `shape` (m, n), from its min(m, n) eigenvalues on the short side (of W^T W for m > n).

    by="moment": variance |W|_F^2 / m, which a spike moves; "median": from their median, which few spikes leave in place.
    The entries' own variance is variance / n.
    """
    m, n = (whole(side, "a side of shape") for side in shape)
    values = short_side(eigenvalues, m, n)
    if by not in ("moment", "median"):
        raise ValueError(f"by = {by!r} is not a way to fit: 'moment' or 'median'")
    variance = float(values.sum()) / m if by == "moment" else median_variance(values, m / n)
    law = MarchenkoPastur(m / n, variance)
    everything = np.concatenate([np.zeros(m - values.size), values])
    return MarchenkoPasturFit(law, ks_distance(everything, law.cdf), int(np.sum(values > law.edges[1])))


def short_side(eigenvalues: ArrayLike, m: int, n: int) -> Array:
    """The eigenvalues, refused where they are none of an (m, n) matrix; rounding may have made a 0 negative."""
    values = np.ravel(np.asarray(eigenvalues, float))
    if values.size != min(m, n):
        raise ValueError(f"{values.size} eigenvalues of a matrix of shape {(m, n)}: give the {min(m, n)} of its short side")
    if not np.all(np.isfinite(values)) or values.min() < -ROUNDING * values.max() or values.max() <= 0:
        raise ValueError(f"eigenvalues from {values.min():.3g} to {values.max():.3g}: give finite ones, none < 0, not all 0")
    return values


def median_variance(values: Array, ratio: float) -> float:
    middle = float(np.median(values))
    if not middle > 0:
        raise ValueError(f"{np.mean(values <= 0):.0%} of the eigenvalues are 0, and so is their median: fit by='moment'")
    return middle / float(MarchenkoPastur(ratio).ppf(1 - min(1.0, 1 / ratio) / 2))
