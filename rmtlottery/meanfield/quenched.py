"""The signal in a net whose weights are given, its inputs taken as independent units: rungs T4 to T6 of the ladder.

The averages are over inputs, not over weights: h_i = sum_j W_ij x_j + b_i has the mean and the variance that row i gives it,
and is Gaussian. Each rung forgets less of what the layer below passes on; none knows how units go together.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import Array
from rmtlottery.meanfield.maps import Phi
from rmtlottery.meanfield.shifted import shifted_coefficients, shifted_means

Map = Callable[[Array], Array]


class Quenched(NamedTuple):
    """h = W x + b on arrays (group, unit, ...): x -> W x, and the same with W squared, and to the fourth, entry by entry.

    `bias` broadcasts against W x: (units,) of a fully connected layer, (1, channels, 1, 1) of a convolution.
    """

    weight: Map
    squares: Map
    fourths: Map
    bias: Array


class Units(NamedTuple):
    """E x, E x^2 and E x^4 of every unit over the inputs of a group, (group, unit, ...)."""

    mean: Array
    square: Array
    fourth: Array


class Step(NamedTuple):
    """q, the mean of h^2; gain, the mean over units of sum_j W_ij^2; chi, the mean of that sum times phi'(h_i)^2."""

    q: float
    gain: float
    chi: float


def forget_columns(x: Units) -> Units:
    """T4: rows alone matter, every unit passes on the same mean square (at each pixel, in a convolution)."""
    same = np.broadcast_to(x.square.mean(1, keepdims=True), x.square.shape)
    return Units(np.zeros_like(x.mean), same, x.fourth)


def forget_means(x: Units) -> Units:
    """T5: the whole profile W_ij^2 matters; no unit has a mean."""
    return Units(np.zeros_like(x.mean), x.square, x.fourth)


def forget_nothing(x: Units) -> Units:
    """T6: units have means, which W adds up with their signs."""
    return x


def quenched_course(
    layers: Iterable[Quenched], x: Units, phi: Phi, forget: Callable[[Units], Units], finite: bool = False
) -> Iterator[Step]:
    """q, gain and chi of layer after layer, the groups of `x` weighing the same.

    `forget` is what a rung does not know of the layer below: forget_columns, forget_means or forget_nothing. `finite`
    corrects for the number of inputs of a unit (T5b), and takes units without means.
    """
    if finite and forget is forget_nothing:
        raise ValueError("the correction for few inputs takes units without means: forget_means or forget_columns")
    act = activation(phi)
    for layer in layers:
        x = forget(x)
        mean = layer.weight(x.mean) + layer.bias
        variance = np.maximum(layer.squares(x.square - x.mean**2), 0.0)
        kurtosis = layer.fourths(x.fourth - 3 * x.square**2) / np.where(variance > 0, variance, 1.0) ** 2 if finite else None
        rows = layer.squares(np.ones_like(x.square[:1]))
        moments = averages(act, mean, variance, kurtosis)
        yield Step(float((mean**2 + variance).mean()), float(rows.mean()), float((rows * moments[3]).mean()))
        x = Units(*moments[:3])


def averages(act: Activation, mean: Array, variance: Array, kurtosis: Array | None) -> Array:
    """E of phi, phi^2, phi^4 and phi'^2 at h = mean + sqrt(variance) z, z Gaussian but for an excess kurtosis.

    Edgeworth's first term: E f grows by kurtosis/24 E f He_4(z), here for phi^2 and phi'^2.
    """
    found = shifted_means(lambda h: powers(act, h), mean, variance, act.edges)
    if kurtosis is not None:
        for place, f in ((1, lambda h: act.phi(h) ** 2), (3, lambda h: act.slope(h) ** 2)):
            found[place] += kurtosis / np.sqrt(24) * shifted_coefficients(f, mean, variance, 5, act.edges)[4]
    return found


def powers(act: Activation, h: Array) -> tuple[Array, ...]:
    square = (x := act.phi(h)) ** 2
    return x, square, square**2, act.slope(h) ** 2
