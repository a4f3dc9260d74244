"""Fully connected nets: h^l = W^l x^{l-1} + b^l, x^l = phi(h^l)."""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

import torch

from rmtlottery.nets.network import Layer, Map, Network
from rmtlottery.tickets.parts import FC


def fc(net: FC, shape: tuple[int, ...], classes: int, phi: Map) -> Network:
    """inputs -> net.widths -> classes, with names fc1.weight, fc1.bias, fc2.weight, ..."""
    units = (math.prod(shape), *net.widths, classes)
    return Network(tuple(dense(units, lambda x: x)), phi, max(units))


def dense(units: Iterable[int], prepare: Map, bias: bool = True, mixes: bool = False) -> Iterator[Layer]:
    """Layers between these numbers of units; `prepare` makes the first one's input."""
    for number, (fan_in, fan_out) in enumerate(pairwise(units), start=1):
        first = number == 1
        yield Layer(f"fc{number}", (fan_out, fan_in), product, prepare if first else lambda x: x, bias, mixes and first)


def product(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return x @ weight.mT
