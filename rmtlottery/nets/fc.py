"""Fully connected nets: h^l = W^l x^{l-1} + b^l, x^l = phi(h^l)."""

from itertools import pairwise

import torch

from rmtlottery.nets.activation import PHI
from rmtlottery.nets.network import Network, Weights
from rmtlottery.tickets.parts import FC


def fc(net: FC, inputs: int, classes: int) -> Network:
    """inputs -> net.widths -> classes, with names fc1.weight, fc1.bias, fc2.weight, ..."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise((inputs, *net.widths, classes)), start=1):
        shapes |= {f"fc{layer}.weight": (fan_out, fan_in), f"fc{layer}.bias": (fan_out,)}
    phi, depth = PHI[net.phi], len(net.widths) + 1

    def preactivations(weights: Weights, x: torch.Tensor) -> list[torch.Tensor]:
        found: list[torch.Tensor] = []
        for layer in range(1, depth + 1):
            x = phi(found[-1]) if found else x
            found.append(x @ weights[f"fc{layer}.weight"].mT + weights[f"fc{layer}.bias"].unsqueeze(-2))
        return found

    return Network(shapes, preactivations)
