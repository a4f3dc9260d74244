"""Optimisers as updates of flat coordinates, in place.

`slots` is their memory, zero at the start of every level; `count` is 1 at the first step since then.
"""

import math
from collections.abc import Callable

import torch

from rmtlottery.tickets.parts import SGD, Adam, Optimiser

Slots = dict[str, torch.Tensor]


def memory(optimiser: Optimiser) -> list[str]:
    """The names of an optimiser's slots, each of the shape of the coordinates."""
    return {"sgd": ["momentum"], "adam": ["mean", "square"]}[optimiser.kind]


def sgd(rule: SGD, coordinates: torch.Tensor, gradient: torch.Tensor, slots: Slots, lr: float, count: int) -> None:
    """v <- momentum v + g; c <- c - lr v, or with Nesterov c - lr (g + momentum v) (Sutskever et al. 2013)."""
    velocity = slots["momentum"].mul_(rule.momentum).add_(gradient)
    step = gradient.add(velocity, alpha=rule.momentum) if rule.nesterov else velocity
    coordinates.sub_(step, alpha=lr)


def adam(rule: Adam, coordinates: torch.Tensor, gradient: torch.Tensor, slots: Slots, lr: float, count: int) -> None:
    """Bias correction divides by 1 - beta^count, eps is added after the root (Kingma and Ba 2015, algorithm 1)."""
    mean = slots["mean"].lerp_(gradient, 1 - rule.beta1)
    square = slots["square"].mul_(rule.beta2).addcmul_(gradient, gradient, value=1 - rule.beta2)
    root = square.sqrt().div_(math.sqrt(1 - rule.beta2**count)).add_(rule.eps)
    coordinates.addcdiv_(mean, root, value=-lr / (1 - rule.beta1**count))


UPDATES: dict[str, Callable[..., None]] = {"sgd": sgd, "adam": adam}
