"""What the law of the weights, beyond their variance, does to the length map: their histogram nothing, their mean a lot."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import activation
from rmtlottery.meanfield.gaussian import Array, whole
from rmtlottery.meanfield.maps import Phi, lengths, sigmas
from rmtlottery.meanfield.shifted import shifted_means


def empirical_length_map(
    q: ArrayLike,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    values: ArrayLike,
    counts: ArrayLike | None = None,
    phi: Phi = "tanh",
) -> Array:
    """sigma_w^2 E_w phi(sqrt(q) w)^2 + sigma_b^2, w the layer's own weights, standardised: a proposal, not a theory.

    The source study's Q-map puts the weights' histogram where the Gaussian z stands. It has no derivation: z is not a weight
    but h/sqrt(q), a sum over all inputs, which is Gaussian whatever the weights' law, up to 1/in-degree (in_degree.py).
    For Gaussian weights the two agree; for others random networks follow length_map. `values`: a sample, or with `counts`
    the centers or the edges of a histogram's bins.
    """
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    w, chances = standardised(np.ravel(np.asarray(values, float)), counts)
    x = activation(phi).phi(np.sqrt(lengths(q))[..., None] * w)
    return sigma_w**2 * (x**2 @ chances) + sigma_b**2


def standardised(values: Array, counts: ArrayLike | None) -> tuple[Array, Array]:
    """Values of mean 0 and variance 1, and the probability of each."""
    chances = np.ones(values.size) if counts is None else np.ravel(np.asarray(counts, float))
    if values.size == chances.size + 1:
        values = (values[1:] + values[:-1]) / 2
    if values.size != chances.size or not np.any(chances) or np.any(chances < 0):
        raise ValueError(f"{values.size} values with {chances.size} counts are no histogram")
    chances = chances / chances.sum()
    values = values - chances @ values
    spread = np.sqrt(chances @ values**2)
    if not spread > 0:
        raise ValueError("the weights are all equal: they have no law to standardise")
    return values / spread, chances


class Shared(NamedTuple):
    """q = E h^2, of which `shared`^2 is the same in all units, and so is `fluctuation`, a variance over nets and inputs."""

    q: Array
    shared: Array
    fluctuation: Array


def mean_length_map(
    q: ArrayLike,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    total: ArrayLike,
    fan_in: int,
    shared: ArrayLike = 0.0,
    phi: Phi = "tanh",
) -> Shared:
    """The next layer's lengths where the weights have a mean: `total` = fan_in x mean, sigma_w^2 = fan_in x *variance*.

    All units of h = W x + b then hold sum_j mean x_j: on average shared' = total E x; and it fluctuates by
    fluctuation = total^2 Var x / fan_in. q' = sigma_w^2 E x^2 + sigma_b^2 + shared'^2 + fluctuation, with
    x = phi(shared + sqrt(q - shared^2) z). Without `shared` and for odd phi, E x = 0 and only the fluctuation is left, which
    fan_in x (second moment of the weights) = sigma_w^2 + total^2/fan_in, in place of sigma_w^2, contains as well.

    One layer is exact for independent x_j. Further on the fluctuation stays shared: unless total^2/fan_in is small, average
    over shared ~ N(shared', fluctuation) rather than to leave it in q, since total E x amplifies what all units share.
    """
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    act, center, total = activation(phi), np.asarray(shared, float), np.asarray(total, float)
    whole(fan_in, "fan_in")
    if not np.all(np.isfinite(total)):
        raise ValueError(f"total = {total} is not finite")
    private = lengths(q) - center**2
    if np.any(private < 0):
        raise ValueError(f"shared^2 = {np.max(center**2):.3g} is more than q = {np.min(q):.3g}, which contains it")
    mean, square = shifted_means(lambda h: ((x := act.phi(h)), x**2), center, private, act.edges)
    fluctuation = total**2 / fan_in * (square - mean**2)
    return Shared(sigma_w**2 * square + sigma_b**2 + (total * mean) ** 2 + fluctuation, total * mean, fluctuation)
