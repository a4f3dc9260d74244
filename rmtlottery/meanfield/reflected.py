"""Residual nets with a normalised branch and relu behind the sum, x <- relu(x + N(shift, spread^2)), channel by channel.

A normalisation gives each channel of a branch its own mean and std, whatever the weights before it: neither sigma_w nor
the density of a mask enters. In a wide net of random weights the branch knows nothing of the x that comes along (derived
here), so that x is a random walk that is held at 0 from below: Lindley's recursion of waiting times [1952]. With shift 0
and spread 1, x has the law of the highest place of a walk from 0, and <x^2> of n steps is n/2 + (1/2 pi) sum over
j <= n, i < j of 1/sqrt(i (j - i)), by Spitzer's identity [1956]; it tends to n. The branch need not be Gaussian where some
inputs are of more contrast than others: lengths are homogeneous, so that only its contrast must be the shortcut's.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from rmtlottery.meanfield.gaussian import Array, density, lengths

REACH = 9.0
CELLS = 2000
LEAST = 1e-9  # of a cell: a spread of 0 is a shift alone


def reflected_lengths(shift: ArrayLike, spread: ArrayLike) -> Array:
    """<x^2> behind each step of walks from 0, (steps, channels); shift and spread are of that shape, or broadcast to it.

    A channel that is there from a later step on has shift and spread 0 before.
    """
    from scipy.signal import fftconvolve  # half a second, which most who ask theory have no use for

    shift, spread = np.broadcast_arrays(np.asarray(shift, float), lengths(spread, "spread"))
    if shift.ndim != 2 or not np.all(np.isfinite(shift)):
        raise ValueError(f"shift and spread of shape {shift.shape} are not finite values of (steps, channels)")
    reach = np.abs(shift).sum(0) + REACH * np.sqrt((spread**2).sum(0))
    parted = REACH * np.sqrt(len(shift)) / (2 * CELLS)  # a step between two cells spreads by half of one at most
    cell = np.where(reach > 0, reach, 1.0) * (1 + parted) / CELLS
    law = np.zeros((shift.shape[1], CELLS + 1))
    law[:, 0], rows = 1.0, []
    for mean, std in zip(shift / cell, spread / cell, strict=True):
        law = held(fftconvolve(law, steps(mean, std), axes=1))
        rows.append(law @ np.arange(CELLS + 1.0) ** 2 * cell**2)
    return np.array(rows)


def steps(mean: Array, std: Array) -> Array:
    """The probability of a step by -CELLS, ..., CELLS cells: (channels, 2 CELLS + 1), parted between the nearest two."""
    std = np.maximum(std, LEAST)[:, None]
    z = (np.arange(-CELLS - 1, CELLS + 2) - mean[:, None]) / std
    return np.diff(std * (z * ndtr(z) + density(z)), 2, axis=1)


def held(law: Array) -> Array:
    """A law on cells -CELLS, ..., 2 CELLS with all that is below 0 put at 0; nothing to speak of is above CELLS."""
    below, rest = law[:, : CELLS + 1].sum(1, keepdims=True), law[:, CELLS + 1 : 2 * CELLS + 1]
    return np.concatenate([below, rest], axis=1)
