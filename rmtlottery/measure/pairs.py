"""How alike two inputs are, as they are given and in each layer of a finite net."""

import numpy as np
import torch

from rmtlottery.nets.init import fans
from rmtlottery.nets.network import Layer, Network, Weights
from rmtlottery.tickets.streams import generator

SIGNALS = 48
FILTERS = 512

TINY = 1e-300  # where no length is left there is no correlation either, and it is given as 0


@torch.no_grad()
def correlations(network: Network, weights: Weights, x: torch.Tensor) -> list[torch.Tensor]:
    """Of every hidden layer, <h_a h_b>/sqrt(<h_a^2><h_b^2>) of all inputs a, b, over units and pixels; not centred."""
    exact = {name: value.double() for name, value in weights.items()}
    found = []
    for h in network.preactivations(exact, x.double())[:-1]:
        flat = h.flatten(1)
        products = flat @ flat.T
        length = products.diagonal().sqrt()
        found.append(products / (length[:, None] * length[None, :]).clamp_min(TINY))
    return found


def input_products(network: Network, x: torch.Tensor) -> tuple[np.ndarray, int]:
    """<x_a x_b> over what a unit of the first layer sees of some inputs, at some of their pixels; and of how many in all."""
    layer = network.layers[0]
    given = layer.prepare(x[:SIGNALS].double())
    signals, pixels = (given, 1) if given.dim() == 2 else filtered(layer, given)
    return (signals @ signals.T / signals.shape[1]).numpy(), len(x) * pixels


def filtered(layer: Layer, x: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Some pixels of pictures through random kernels, whose products are those of the windows; and how many pixels."""
    numbers = generator(0, "pixels")
    kernels = torch.from_numpy(numbers.standard_normal((FILTERS, *layer.shape[1:]))) / fans(layer.shape)[0] ** 0.5
    pixels = layer.linear(kernels, x).flatten(2).transpose(1, 2).flatten(0, 1)
    return pixels[numbers.permutation(len(pixels))[:SIGNALS]], len(pixels) // len(x)
