"""Fully connected residual nets that add to the pre-activation, with skips over two layers."""

from functools import lru_cache
from math import prod

import torch
from torch import nn

from rmtlottery.nets.activation import PHI
from rmtlottery.nets.module import Modular, modular, seeded
from rmtlottery.tickets.parts import Skip


@lru_cache(maxsize=4)
def skip(net: Skip, shape: tuple[int, ...], classes: int) -> Modular:
    """The net whose lengths `rmtlottery.meanfield.residual_map` follows, block by block."""
    with seeded(0, torch.device("cpu")):
        module = Residual(net, prod(shape), classes)
    return modular(module, shape, classes)


class Residual(nn.Module):
    """Inputs -> units, `blocks` times h + W2 phi(W1 phi(h) + b1) + b2, and classes read off phi(h)."""

    def __init__(self, net: Skip, inputs: int, classes: int) -> None:
        super().__init__()
        self.phi = PHI[net.phi]
        self.fc1 = nn.Linear(inputs, net.units)
        self.blocks = nn.Sequential(*(Block(net) for _ in range(net.blocks)))
        self.out = nn.Linear(net.units, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.phi(self.blocks(self.fc1(x.flatten(1)))))


class Block(nn.Module):
    def __init__(self, net: Skip) -> None:
        super().__init__()
        self.phi = PHI[net.phi]
        self.fc1 = nn.Linear(net.units, net.units)
        self.fc2 = nn.Linear(net.units, net.units)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return h + self.fc2(self.phi(self.fc1(self.phi(h))))
