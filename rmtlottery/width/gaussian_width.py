"""w(S) = E sup <g, x> over x in S, g standard Gaussian: half of what is often called the mean width."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above
from rmtlottery.width.bodies import Body
from rmtlottery.width.cones import Cone

AT_ONCE = 2**22


class Estimate(NamedTuple):
    """A mean over Gaussian draws, and its standard error."""

    value: float
    error: float


def gaussian_width(body: Body, samples: int, generator: np.random.Generator) -> Estimate:
    """By Monte Carlo. The mean of two bodies' widths that share the draws is that of their sum."""
    return mean(body.support(g) for g in draws(body.ambient, samples, generator))


def distance_to(cone: Cone, samples: int, generator: np.random.Generator) -> Estimate:
    """E dist(g, C)^2, which is D less the cone's statistical dimension: where subspaces begin to meet it.

    By the residual itself, whose spread is small where it is small; |g|^2 - |Pi g|^2 would have that of a chi-squared of D.
    """
    return mean(np.square(g - cone.project(g)).sum(1) for g in draws(cone.ambient, samples, generator))


def statistical_dimension(cone: Cone, samples: int, generator: np.random.Generator) -> Estimate:
    """E |Pi g|^2 [Amelunxen, Lotz, McCoy & Tropp 2014]: the dimension, for a subspace.

    Of |Pi g|^2 and D - dist(g, C)^2, which have the same mean, the one that the draws tell better.
    """
    near, far = [], []
    for g in draws(cone.ambient, samples, generator):
        held = cone.project(g)
        near.append(np.square(held).sum(1))
        far.append(cone.ambient - np.square(g - held).sum(1))
    return min(mean(near), mean(far), key=lambda estimate: estimate.error)


def ellipsoid_width(axes: ArrayLike) -> float:
    """E sqrt(sum a_i^2 g_i^2), by the integral of 1 - prod (1 + 2 t a_i^2)^(-1/2) over t^(-3/2) / (2 sqrt pi)."""
    squares = above(axes, 0, "axes") ** 2
    size = squares.sum()
    if size == 0:
        return 0.0

    def integrand(y: float) -> float:  # t = y^2 / size
        return float(-np.expm1(-np.log1p(2 * y * y * squares / size).sum() / 2) / (y * y))

    near, far = quad(integrand, 0, 1, limit=200)[0], quad(lambda z: integrand(1 / z) / (z * z), 0, 1, limit=200)[0]
    return float(np.sqrt(size / np.pi) * (near + far))


def draws(ambient: int, samples: int, generator: np.random.Generator) -> Iterator[Array]:
    if samples < 2:
        raise ValueError(f"samples = {samples}: a standard error takes two or more")
    portion = max(1, AT_ONCE // ambient)
    for first in range(0, samples, portion):
        yield generator.standard_normal((min(portion, samples - first), ambient))


def mean(parts: Iterator[Array] | list[Array]) -> Estimate:
    values = np.concatenate(list(parts))
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
