"""Loss and gradient of a fully connected chain, written out: what autograd finds, in fewer passes over memory."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch

from rmtlottery.nets.activation import PULL
from rmtlottery.nets.losses import Loss, Scores


class Signal(NamedTuple):
    """h of a layer and x = phi(h), (seeds, samples, units). Where x alone tells the slope of phi, h may be x again."""

    h: torch.Tensor
    x: torch.Tensor


class Affine(Protocol):
    """h = W x + b of one layer, for every seed."""

    def forward(self, x: torch.Tensor, phi: str) -> Signal:
        """h, and phi of it."""

    def back(self, delta: torch.Tensor) -> torch.Tensor:
        """W^T delta."""

    def write(self, delta: torch.Tensor, x: torch.Tensor) -> None:
        """Leave the gradient delta x^T of W, and that of b, where they belong."""


def forward(layers: Sequence[Affine], phi: str, x: torch.Tensor) -> list[Signal]:
    """The inputs, and what each layer makes of them; the last one's are the logits."""
    made = [Signal(x, x)]
    for place, layer in enumerate(layers, start=1):
        made.append(layer.forward(made[-1].x, phi if place < len(layers) else "linear"))
    return made


def backward(layers: Sequence[Affine], phi: str, made: list[Signal], delta: torch.Tensor) -> None:
    """Every layer writes its gradient; `delta` is that of the logits."""
    for place in reversed(range(len(layers))):
        layers[place].write(delta, made[place].x)
        if place:
            delta = PULL[phi](layers[place].back(delta), *made[place])


def learn(layers: Sequence[Affine], phi: str, loss: Loss, x: torch.Tensor, y: torch.Tensor) -> Scores:
    """One forward and one backward pass: the gradients are where the layers write them."""
    made = forward(layers, phi, x)
    scores, delta = loss(made[-1].x, y)
    backward(layers, phi, made, delta.to(made[-1].x.dtype))
    return scores
