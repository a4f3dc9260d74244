"""Whether two Gaussians fit a sample better than one, and whether they make a valley.

Of a heavy or a light tail, too, two Gaussians are the better fit, which is what `valley` is for. It is no test: of a uniform
law, whose edges no Gaussian has, the fit has two modes and a valley of about 0.4, where `dip` sees no second mode.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, density
from rmtlottery.spectra.bimodality import standardised

GROUPS, OUTERMOST = 512, 64
CUTS = (0.5, 0.25, 0.75, 0.1, 0.9)
NARROWEST = 0.01  # of the sample's std: a component of one value would be infinitely likely
STEPS = 3000
STILL, STILL_PER_VALUE = 1e-4, 1e-9
TIE = 1e-6
TINY = 1e-300
ROUNDING = 1e-12
PLACES = 2001


class Mixture(NamedTuple):
    """Components in the order of their means; no std is below 0.01 of the sample's.

    `bic_gain` is BIC of one Gaussian (2 parameters) minus BIC of two (5), positive where two are better. `valley` is
    1 - (density at the lowest point between two modes)/(the lower mode), of the fitted mixture: 0 where it has one mode.
    """

    means: tuple[float, float]
    stds: tuple[float, float]
    shares: tuple[float, float]
    bic_gain: float
    valley: float


class Groups(NamedTuple):
    """Neighbours of a sorted sample: what part of it they are, their mean and mean square."""

    part: Array
    mean: Array
    square: Array


class Fits(NamedTuple):
    """One row a start, one column a component; in standard deviations of the sample from its mean."""

    share: Array
    mean: Array
    std: Array


def two_gaussians(values: ArrayLike) -> Mixture:
    """By EM from several cuts of the sample in two, the likeliest end; of more than 512 values EM sees groups of neighbours.

    It ends when a step gains less than 1e-4 of log-likelihood (1e-9 per value of more than 100 000), or after 3000 on the
    ridge of a sample that one Gaussian fits as well: bic_gain is a lower bound.
    """
    held = np.ravel(np.asarray(values, float))
    z = np.sort(standardised(held))
    if z.size <= 5:
        raise ValueError(f"{z.size} values do not fix the 5 parameters of two Gaussians: give 6 or more")
    each = Groups(np.full(z.size, 1 / z.size), z, z**2)
    share, mean, std = fit = polished(each, likeliest(grouped(z), max(STILL / z.size, STILL_PER_VALUE)))
    gained = np.sum(np.logaddexp(*component_logs(each, fit))) + z.size * (1 + np.log(2 * np.pi)) / 2
    centre, scale = held.mean(), held.std()
    means, stds, shares = ((float(low), float(high)) for low, high in (centre + scale * mean, scale * std, share))
    return Mixture(means, stds, shares, float(2 * gained - 3 * np.log(z.size)), valley(share, mean, std))


def grouped(z: Array) -> Groups:
    """The outermost values stay single: few as they are, an end of the sample may be one component."""
    ends = np.linspace(0, z.size, min(z.size, GROUPS) + 1).round().astype(int)
    outer = np.arange(min(z.size, OUTERMOST))
    ends = np.unique(np.concatenate([ends, outer, z.size - outer]))
    count = np.diff(ends)
    return Groups(count / z.size, *(np.add.reduceat(power, ends[:-1]) / count for power in (z, z**2)))


def likeliest(groups: Groups, still: float) -> Fits:
    """One end of EM, the lower mean first; among ends as likely, that of the cut in the middle."""
    fits, before = maximised(groups, starts(groups)), -np.inf
    for _ in range(STEPS):
        logs = component_logs(groups, fits)
        likelihood = np.logaddexp(*logs) @ groups.part
        if np.all(likelihood - before < still):
            break
        fits, before = maximised(groups, belonging(logs)), likelihood
    best = np.argmax(likelihood > likelihood.max() - TIE)
    order = np.argsort(fits.mean[:, best], kind="stable")
    return Fits(*(column[order, best] for column in fits))


def polished(each: Groups, fit: Fits) -> Fits:
    """A group may lie across the valley: two more steps that see every value."""
    for _ in range(2):
        fit = maximised(each, belonging(component_logs(each, fit)))
    return fit


def belonging(logs: Array) -> Array:
    return np.exp(logs - np.logaddexp(*logs))


def starts(groups: Groups) -> Array:
    """What belongs to which component, (2, starts, groups): low and high values."""
    rank = np.cumsum(groups.part) - groups.part / 2
    high = (rank > np.array(CUTS)[:, None]).astype(float)
    return np.stack([1 - high, high])


def maximised(groups: Groups, belongs: Array) -> Fits:
    share = np.maximum(belongs @ groups.part, TINY)
    mean = belongs @ (groups.part * groups.mean) / share
    variance = belongs @ (groups.part * groups.square) / share - mean**2
    return Fits(share, mean, np.sqrt(np.maximum(variance, NARROWEST**2)))


def component_logs(groups: Groups, fits: Fits) -> Array:
    """log(share x density), averaged over each group: so no step of EM loses likelihood."""
    share, mean, std = (column[..., None] for column in fits)
    distance = groups.square - 2 * mean * groups.mean + mean**2
    return np.log(share / std) - (distance / std**2 + np.log(2 * np.pi)) / 2


def mixture_density(z: Array, share: Array, mean: Array, std: Array) -> Array:
    return sum(part * density((z - at) / wide) / wide for part, at, wide in zip(share, mean, std, strict=True))


def valley(share: Array, mean: Array, std: Array) -> float:
    """To about 1e-3; both modes lie between the means [Ray and Lindsay 2005]."""
    height = mixture_density(np.linspace(mean[0], mean[1], PLACES), share, mean, std)
    left, right = np.maximum.accumulate(height), np.maximum.accumulate(height[::-1])[::-1]
    depth = float(np.max(1 - height / np.minimum(left, right)))
    return depth if depth > ROUNDING else 0.0
