"""How far q of a random net of this width strays from its theory, averaged over the inputs at hand: the bar of every rung.

Two standard deviations and the mean shift, in units of q, at the variances of T3. Many inputs do not average it away:
they go through one net. What pairs of inputs have in common is followed by the covariance map, in a convolution without
its windows.
"""

import numpy as np

from rmtlottery.analyze.rungs.pooled import Pooled
from rmtlottery.meanfield import covariance_map, length_shift, length_variance
from rmtlottery.measure.pairs import input_products
from rmtlottery.measure.signal import Probe


def bars(layers: list[Pooled], seen: Probe, phi: str) -> list[float]:
    """The bar of each hidden layer, over q; not a number where there is none: behind pictures, and beyond all bounds."""
    hidden = seen.network.layers[:-1]
    alike = next((at for at, layer in enumerate(hidden) if len(layer.shape) != len(hidden[0].shape) or layer.mixes), None)
    try:
        found = strayed(layers[:alike], seen, phi)
    except (ValueError, ArithmeticError):
        found = []
    return found + [float("nan")] * (len(layers) - len(found))


def strayed(layers: list[Pooled], seen: Probe, phi: str) -> list[float]:
    products, signals = input_products(seen.network, seen.x)
    covariances = followed(layers, layers[0].weight * products + layers[0].bias, phi)
    q = np.array([np.diagonal(held).mean() for held in covariances])
    shared = np.array([mean_square(held, signals) for held in covariances])
    c = np.sqrt(np.clip(shared / np.where(q > 0, q, 1.0) ** 2, 0.0, 1.0))
    widths = [layer.shape[0] for layer in seen.network.layers[: len(layers)]]
    sigma_w = np.sqrt([held.weight for held in layers])
    spread = np.sqrt(length_variance(q, widths, sigma_w, phi, c=c))
    bar = (2 * spread + np.abs(length_shift(q, widths, sigma_w, phi))) / np.where(q > 0, q, 1.0)
    return [float(value) for value in bar]


def followed(layers: list[Pooled], covariance: np.ndarray, phi: str) -> list[np.ndarray]:
    """The covariances of the signals in layer after layer."""
    found = [covariance]
    for held in layers[1:]:
        q = np.diagonal(found[-1])
        found.append(covariance_map(q[:, None], q[None, :], found[-1], held.weight**0.5, held.bias**0.5, phi))
    return found


def mean_square(covariance: np.ndarray, signals: int) -> float:
    """Over all pairs of so many signals, those with themselves included, of which these are some."""
    own, apart = np.square(np.diagonal(covariance)).mean(), ~np.eye(len(covariance), dtype=bool)
    other = np.square(covariance[apart]).mean() if len(covariance) > 1 else own
    return float(other + (own - other) / signals)
