"""What a layer's weights make of numbers, as functions of arrays."""

from collections.abc import Callable

import numpy as np
import torch

from rmtlottery.nets.network import Layer, Network, Weights, spread

Function = Callable[[np.ndarray], np.ndarray]


def functions(network: Network, weights: Weights, layers: int) -> list[tuple[Function, Function, Function, np.ndarray]]:
    """Of each of the first layers: x -> W x, the same with W^2 and W^4 entry by entry, and b as it stands beside W x.

    The inputs of the first are prepared already, those of the others are what phi left of the layer before.
    """
    return [of_layer(layer, weights, place > 0) for place, layer in enumerate(network.layers[:layers])]


def of_layer(layer: Layer, weights: Weights, prepare: bool) -> tuple[Function, Function, Function, np.ndarray]:
    weight = weights[f"{layer.name}.weight"].double()
    once, twice, fourfold = (seeing(layer, weight.pow(power), prepare) for power in (1, 2, 4))
    bias = spread(weights[f"{layer.name}.bias"].double(), weight.dim()).numpy() if layer.bias else np.zeros(())
    return once, twice, fourfold, bias


def seeing(layer: Layer, weight: torch.Tensor, prepare: bool) -> Function:
    def see(x: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(np.ascontiguousarray(x))
        return layer.linear(weight, layer.prepare(given) if prepare else given).numpy()

    return see
