"""What each theory makes of W_last D_(last-1) .. W_(first+1) D_first, a product of fully connected layers and slopes of phi.

first = 0 is the input, which no phi follows: there is no D_0 then.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch

from rmtlottery.meanfield import Activation, activation, length_map
from rmtlottery.measure.jacobian import gains
from rmtlottery.measure.layers import squared_singular_values
from rmtlottery.measure.signal import Probe, every_nominal, hidden_lengths
from rmtlottery.refusal import Refusal
from rmtlottery.spectra.factors import Factor, Part, gaussian, orthogonal, spectral
from rmtlottery.spectra.free_product import FreeProduct
from rmtlottery.spectra.gain_law import gain_law
from rmtlottery.spectra.masked_products import masked_moments
from rmtlottery.tickets.parts import Orthogonal
from rmtlottery.tickets.ticket import Ticket, Weights

NOMINAL, SIZES, MASKED, SPECTRA = "nominal", "own sizes", "masked moments", "own spectra"
Law = FreeProduct | tuple[float, float]


class Span(NamedTuple):
    """From the pre-activations of layer `first` to those of layer `last`."""

    name: str
    first: int
    last: int

    @property
    def matrices(self) -> range:
        return range(self.first + 1, self.last + 1)

    @property
    def slopes(self) -> range:
        return range(max(self.first, 1), self.last)


class Chain(NamedTuple):
    """The fully connected layers of a span: their weights, their slopes' squares over inputs and units, phi."""

    span: Span
    weights: dict[int, torch.Tensor]
    squares: dict[int, np.ndarray]
    act: Activation

    @property
    def vanishes(self) -> bool:
        return not (all(map(torch.any, self.weights.values())) and all(map(np.any, self.squares.values())))

    def product(self, matrices: Mapping[int, Part], slopes: Mapping[int, Part]) -> FreeProduct:
        """In order of application."""
        parts = [part for layer in range(self.span.first, self.span.last + 1) for part in both(matrices, slopes, layer)]
        return FreeProduct(parts)


def theories(ticket: Ticket, weights: Weights, seen: Probe, span: Span) -> Iterator[tuple[str, Law]]:
    """source -> its law; of masked moments, mean and relative variance. None of a product with a factor that is 0."""
    chain, lengths = chain_of(ticket, weights, seen, span), hidden_lengths(seen.network, weights, seen.x)
    if chain.vanishes:
        return
    yield from nominal(ticket, chain, seen)
    sizes = {layer: gaussian(size(weight), *weight.shape) for layer, weight in chain.weights.items()}
    yield SIZES, chain.product(sizes, lawful(chain, lengths))
    yield MASKED, masked(ticket, chain, lengths)
    yield SPECTRA, own_spectra(chain)


def chain_of(ticket: Ticket, weights: Weights, seen: Probe, span: Span) -> Chain:
    held = {layer: weights[f"fc{layer}.weight"].double() for layer in span.matrices}
    squares = {layer: equal_shares(gains(seen.network, weights, seen.x, layer)) for layer in span.slopes}
    return Chain(span, held, squares, activation(ticket.spec.net.phi))  # type: ignore[union-attr]


def equal_shares(slopes: torch.Tensor) -> np.ndarray:
    """The squares of the slopes at all inputs, sorted, each run of them as its mean: as many numbers as units."""
    return np.sort(slopes.square().numpy(), axis=None).reshape(slopes.shape[1], -1).mean(axis=1)


def both(matrices: Mapping[int, Part], slopes: Mapping[int, Part], layer: int) -> Iterator[Part]:
    """W_layer where the span has it, then D_layer."""
    for parts in (matrices, slopes):
        if layer in parts:
            yield parts[layer]


def nominal(ticket: Ticket, chain: Chain, seen: Probe) -> Iterator[tuple[str, Law]]:
    """By the init's sigmas and the lengths that the length map makes of the inputs'; nothing where an init has no sigmas."""
    try:
        sigmas = every_nominal(ticket)
    except Refusal:
        return
    lengths = [sigmas[0][0] ** 2 * seen.x.double().square().mean().item() + sigmas[0][1] ** 2]
    for sigma_w, sigma_b in sigmas[1:]:
        lengths.append(float(length_map(lengths[-1], sigma_w, sigma_b, chain.act)))
    law = orthogonal if isinstance(ticket.spec.init, Orthogonal) else gaussian  # type: ignore[union-attr]
    matrices = {layer: law(sigmas[layer - 1][0], *weight.shape) for layer, weight in chain.weights.items()}
    yield NOMINAL, chain.product(matrices, lawful(chain, lengths))


def lawful(chain: Chain, lengths: list[float]) -> dict[int, Part]:
    """D of Gaussian pre-activations of these lengths."""
    units = {layer: len(squares) for layer, squares in chain.squares.items()}
    return {layer: spectral(gain_law(chain.act, lengths[layer - 1]).times(n), n, n) for layer, n in units.items()}


def size(weight: torch.Tensor) -> float:
    """sigma_w with the zeros counted."""
    return float(weight.square().sum() / len(weight)) ** 0.5


def masked(ticket: Ticket, chain: Chain, lengths: list[float]) -> tuple[float, float]:
    """Mean and relative variance over all masks of each layer's density and all weights of its moments, at this width.

    The recursion knows slopes after each matrix, where this product may begin with some: so the transposed one is followed,
    with the same eigenvalues but for zeros.
    """
    told = [transposed(ticket, chain, layer, lengths) for layer in reversed(chain.span.matrices)]
    widths, layers = [told[0].columns, *(one.rows for one in told)], np.array([one[2:] for one in told]).T
    sigma, density, tails, square, fourth = layers
    found = masked_moments(widths, sigma, density, tails, slope_square=square, slope_fourth=fourth)
    ratio = widths[-1] / widths[0]
    return found.mean * ratio, (1 + found.variance) / ratio - 1


class Transposed(NamedTuple):
    """W^T of a layer and the slopes after it, by their moments."""

    rows: int
    columns: int
    sigma: float
    density: float
    kurtosis: float
    slope_square: float
    slope_fourth: float


def transposed(ticket: Ticket, chain: Chain, layer: int, lengths: list[float]) -> Transposed:
    weight, mask = chain.weights[layer], ticket.mask[f"fc{layer}.weight"]
    columns, rows = weight.shape
    square, fourth = (float(weight[mask].pow(power).mean()) for power in (2, 4))
    slopes = (1.0, 1.0)
    if layer - 1 in chain.squares:
        slopes = float(chain.act.D(lengths[layer - 2])), float(chain.act.D4(lengths[layer - 2]))
    return Transposed(rows, columns, (square * columns) ** 0.5, float(mask.double().mean()), fourth / square**2, *slopes)


def own_spectra(chain: Chain) -> FreeProduct:
    """Each matrix by its measured singular values, free of all others."""
    matrices = {layer: Factor(squared_singular_values(w), *w.shape) for layer, w in chain.weights.items()}
    slopes = {layer: Factor(squares, len(squares), len(squares)) for layer, squares in chain.squares.items()}
    return chain.product(matrices, slopes)
