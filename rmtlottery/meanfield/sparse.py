"""What a mask leaves of a layer of Gaussian weights: its variance, its survivors' spread and shape.

`density` p is the kept fraction, in (0, 1]. A random mask leaves the variance fraction p: sigma_w^2 -> p sigma_w^2. One by
magnitude keeps |w| > t = Phi^-1(1 - p/2), in units of the dense standard deviation, and leaves more. Biases stay.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.meanfield.gaussian import density as normal_density


def densities(density: ArrayLike) -> Array:
    p = np.asarray(density, float)
    if not np.all((p > 0) & (p <= 1)):
        raise ValueError(f"density = {p} is not in (0, 1]: it is the kept fraction, not the sparsity")
    return p


def magnitude_threshold(density: ArrayLike) -> Array:
    """The smallest |w| a magnitude mask keeps, in dense standard deviations."""
    return np.asarray(-ndtri(densities(density) / 2))


def magnitude_variance(density: ArrayLike) -> Array:
    """g = p + 2 t phi_N(t), the fraction of sum w^2 that a magnitude mask keeps: sigma_w^2 -> g sigma_w^2."""
    p, t = densities(density), magnitude_threshold(density)
    return p + 2 * t * normal_density(t)


def survivor_growth(density: ArrayLike) -> Array:
    """Survivors' standard deviation over the dense one, sqrt(g/p) >= 1: it grows while the layer's variance g falls."""
    return np.sqrt(magnitude_variance(density) / densities(density))


def survivor_kurtosis(density: ArrayLike) -> Array:
    """E w^4 / (E w^2)^2 of the survivors of a magnitude mask, from 3 at p = 1 down to 1 as p -> 0 (two narrow lumps).

    The kept fourth moment is E[w^4; |w| > t] = 3 p + 2 phi_N(t) (t^3 + 3 t).
    """
    p, t = densities(density), magnitude_threshold(density)
    fourth = 3 * p + 2 * normal_density(t) * (t**3 + 3 * t)
    return fourth / p / survivor_growth(p) ** 4


def critical_gain(density: ArrayLike) -> Array:
    """What survivors of a magnitude mask are multiplied by to have the dense layer's sigma_w again, 1/sqrt(g).

    A critical net (biases as they were) is critical again [Hayou et al. 2021, the "rescaling trick"]. After a random mask
    it is 1/sqrt(p). Not 1/survivor_growth, which sets the survivors' standard deviation and leaves sigma_w^2 p-fold.
    """
    return 1 / np.sqrt(magnitude_variance(density))
