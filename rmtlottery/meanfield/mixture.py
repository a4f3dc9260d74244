"""The signal in a fully connected net whose weights are given, its inputs a mixture of Gaussians: rungs T7 to T9.

The pre-activations of a component are jointly Gaussian over its inputs, with means and covariances that W turns and phi
shrinks. That they *stay* Gaussian is what is assumed; that units are independent is not.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import Array, whole
from rmtlottery.meanfield.maps import Phi
from rmtlottery.meanfield.quenched import Step
from rmtlottery.meanfield.shifted import shifted_coefficients, shifted_mean

TERMS = 7
Layers = Sequence[tuple[Array, Array]]


class Mixture(NamedTuple):
    """Components of a law of N units: their shares (k,), means (k, N) and covariances (k, N, N)."""

    share: Array
    mean: Array
    covariance: Array

    @property
    def variance(self) -> Array:
        return np.maximum(np.diagonal(self.covariance, axis1=-2, axis2=-1), 0.0)


def mixture_of(groups: Sequence[Array]) -> Mixture:
    """One component for each group of samples (n, N), with the share that its size gives it."""
    groups = [np.asarray(group, float) for group in groups]
    if not all(group.ndim == 2 and group.shape[1:] == groups[0].shape[1:] and np.isfinite(group).all() for group in groups):
        raise ValueError(f"groups are finite samples (n, N) of as many units each, not {[group.shape for group in groups]}")
    if not groups or min(len(group) for group in groups) < 2:
        raise ValueError(f"a covariance takes two samples or more of each group, not {[len(group) for group in groups]}")
    sizes = np.array([len(group) for group in groups])
    covariances = [np.cov(group, rowvar=False, ddof=0).reshape(group.shape[1], -1) for group in groups]
    return Mixture(sizes / sizes.sum(), np.stack([group.mean(0) for group in groups]), np.stack(covariances))


def mixture_course(layers: Layers, start: Mixture, phi: Phi, terms: int = TERMS) -> Iterator[Step]:
    """q, gain and chi of layer after layer, each (W (out, in), b), from the law `start` of h^1 on.

    What the first layer is given is in `start` already: of it only |W|^2 is used, for chi.
    """
    act = activation(phi)
    for law, (weight, _) in zip(laws(layers, start, act, terms), layers, strict=True):
        rows = np.square(weight).sum(1)
        slopes = shifted_mean(lambda h: act.slope(h) ** 2, law.mean, law.variance, act.edges)
        q = law.share @ (law.mean**2 + law.variance).mean(1)
        yield Step(float(q), float(rows.mean()), float(law.share @ (rows * slopes).mean(1)))


def laws(layers: Layers, start: Mixture, act: Activation, terms: int) -> Iterator[Mixture]:
    """The law of h^1, h^2, ..."""
    check_chain(layers, start)
    law = start
    yield law
    for weight, bias in layers[1:]:
        mean, covariance = after(law, act, terms)
        law = Mixture(law.share, mean @ weight.T + bias, weight @ covariance @ weight.T)
        yield law


def after(law: Mixture, act: Activation, terms: int) -> tuple[Array, Array]:
    """Mean and covariance of phi(h): Mehler's series between units, exact within one; `terms` = 1 is linear response."""
    variance = law.variance
    a = shifted_coefficients(act.phi, law.mean, variance, whole(terms, "terms") + 1, act.edges)
    inverse = 1 / np.sqrt(np.where(variance > 0, variance, np.inf))
    rho = law.covariance * inverse[:, :, None] * inverse[:, None, :]
    covariance = np.zeros_like(rho)
    for n in range(terms, 0, -1):
        covariance = (covariance + a[n][:, :, None] * a[n][:, None, :]) * rho
    units = np.arange(variance.shape[1])
    covariance[:, units, units] = shifted_mean(lambda h: act.phi(h) ** 2, law.mean, variance, act.edges) - a[0] ** 2
    return a[0], covariance


def farthest(layers: Layers, start: Mixture, phi: Phi, terms: int = TERMS) -> Array:
    """The direction of h^1 in each component (k, N) along which linear response carries most variance to the last layer."""
    act = activation(phi)
    carried = np.eye(start.mean.shape[1])
    for law, (weight, _) in zip(laws(layers, start, act, terms), layers[1:], strict=False):
        slopes = shifted_mean(act.slope, law.mean, law.variance, act.edges)
        carried = (weight * slopes[:, None, :]) @ carried
    last = np.linalg.eigh(carried @ start.covariance @ np.swapaxes(carried, -1, -2))[1][..., -1]
    return np.einsum("kij,ki->kj", carried, last)


def check_chain(layers: Layers, start: Mixture) -> None:
    widths = [np.shape(weight) for weight, _ in layers]
    chained = [below[0] == above[1] for below, above in pairwise(widths)]
    if not widths or not all(chained) or widths[0][0] != start.mean.shape[1]:
        raise ValueError(f"layers of shapes {widths} do not chain from {start.mean.shape[1]} units of h^1")
