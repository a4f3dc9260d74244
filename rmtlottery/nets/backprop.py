"""Loss and gradient of a fully connected chain, written out: what autograd finds, in fewer passes over memory.

Signals stand unit by unit, (seeds, units, samples), so that sparse weights meet whole rows of them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch

from rmtlottery.nets.activation import PHI, PULL

Scores = tuple[torch.Tensor, torch.Tensor]


class Affine(Protocol):
    """h = W x + b of one layer, for every seed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """h of x."""

    def back(self, delta: torch.Tensor) -> torch.Tensor:
        """W^T delta."""

    def write(self, delta: torch.Tensor, x: torch.Tensor) -> None:
        """Leave the gradient delta x^T of W, and that of b, where they belong."""


class Signal(NamedTuple):
    """What a layer is given, x, made of `h` of the layer before; of the first, both are the inputs."""

    h: torch.Tensor
    x: torch.Tensor


def forward(layers: Sequence[Affine], phi: str, x: torch.Tensor) -> tuple[list[Signal], torch.Tensor]:
    """What each layer is given, and the logits."""
    given = [Signal(x, x)]
    for layer in layers[:-1]:
        h = layer.forward(given[-1].x)
        given.append(Signal(h, PHI[phi](h)))
    return given, layers[-1].forward(given[-1].x)


def backward(layers: Sequence[Affine], phi: str, given: list[Signal], delta: torch.Tensor) -> None:
    """Every layer writes its gradient; `delta` is that of the logits."""
    for place in reversed(range(len(layers))):
        layers[place].write(delta, given[place].x)
        if place:
            delta = PULL[phi](layers[place].back(delta), *given[place])


def cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
    """Of logits (seeds, classes, samples): mean loss and right answers of each seed, and the gradient of the sum of losses.

    In fp32, or more if the logits are.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    log_p, right = torch.log_softmax(logits, 1), y.unsqueeze(1)
    loss = log_p.gather(1, right).mean((1, 2)).neg()
    hits = (logits.argmax(1) == y).sum(1)
    delta = log_p.exp_()
    delta.scatter_add_(1, right, torch.full_like(right, -1, dtype=delta.dtype))
    return (loss, hits), delta.div_(y.shape[1])


def learn(layers: Sequence[Affine], phi: str, x: torch.Tensor, y: torch.Tensor) -> Scores:
    """One forward and one backward pass: the gradients are where the layers write them."""
    given, logits = forward(layers, phi, x)
    scores, delta = cross_entropy(logits, y)
    backward(layers, phi, given, delta.to(logits.dtype))
    return scores
