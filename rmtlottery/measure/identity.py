"""What makes a layer's q, exactly: the size of its weights and of its inputs, how well the two are aligned, the bias.

q = s2 * x2 * A + b2 + 2 bh, all averages over the same inputs, units and pixels: s2 = |W|_F^2/fan_out, x2 = <x^2> over
what a unit sees (the zeros around a picture included), b2 = <b^2>, bh = <b (W x)>. The alignment A = <(W x)^2>/(s2 x2) is
N Tr(W^T W C)/(Tr W^T W Tr C) with C = <x x^T>, uncentred: 1 where the large directions of W and of C have nothing in common.
"""

from typing import NamedTuple

import torch

from rmtlottery.measure.signal import over_inputs
from rmtlottery.nets.init import fans
from rmtlottery.nets.network import Layer, Network, Weights, spread


class Pieces(NamedTuple):
    """Of one layer: mean h^2, weights' s2, inputs' x2, alignment, mean b^2 and mean b (W x)."""

    q: float
    s2: float
    x2: float
    alignment: float
    b2: float
    bh: float


def pieces(network: Network, weights: Weights, x: torch.Tensor) -> list[Pieces]:
    """Of every hidden layer."""
    exact = {name: value.double() for name, value in weights.items()}

    def length(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return h.square()

    def inputs(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return layer.linear(torch.full_like(weight[:1], 1 / fans(layer.shape)[0]), given.square())

    def product(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return (h - bias(layer, exact)).square()

    def cross(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return (h - bias(layer, exact)) * bias(layer, exact)

    facts = over_inputs(network, weights, x, length, inputs, product, cross)
    return [of_layer(layer, weights, *found) for layer, found in zip(network.layers, facts, strict=False)]


def bias(layer: Layer, weights: Weights) -> torch.Tensor:
    """b as it stands beside W x."""
    return spread(weights[f"{layer.name}.bias"], len(layer.shape)) if layer.bias else torch.zeros(())


def of_layer(layer: Layer, weights: Weights, q: float, x2: float, w2: float, bh: float) -> Pieces:
    s2 = weights[f"{layer.name}.weight"].double().square().sum().item() / layer.shape[0]
    b2 = weights[f"{layer.name}.bias"].double().square().mean().item() if layer.bias else 0.0
    return Pieces(q, s2, x2, w2 / (s2 * x2) if s2 * x2 else 1.0, b2, bh)
