"""Optimisers as updates of flat coordinates, in place and in one pass.

`slots` is their memory, zero at the start of every level; `count` is 1 at the first step since then. `lr` and `count`
are tensors, so that a device that replays a step reads them anew.
"""

from collections.abc import Callable

import torch

from rmtlottery.tickets.parts import SGD, Adam, Optimiser

Slots = dict[str, torch.Tensor]


def memory(optimiser: Optimiser) -> list[str]:
    """The names of an optimiser's slots, each of the shape of the coordinates."""
    return {"sgd": ["momentum"], "adam": ["mean", "square"]}[optimiser.kind]


def sgd(
    rule: SGD, coordinates: torch.Tensor, gradient: torch.Tensor, slots: Slots, lr: torch.Tensor, count: torch.Tensor
) -> None:
    """v <- momentum v + g; c <- c - lr v, or with Nesterov c - lr (g + momentum v) (Sutskever et al. 2013)."""
    torch._fused_sgd_(
        [coordinates],
        [gradient],
        [slots["momentum"]] if rule.momentum else [],
        weight_decay=0.0,
        momentum=rule.momentum,
        lr=lr,
        dampening=0.0,
        nesterov=rule.nesterov,
        maximize=False,
        is_first_step=False,
    )


def adam(
    rule: Adam, coordinates: torch.Tensor, gradient: torch.Tensor, slots: Slots, lr: torch.Tensor, count: torch.Tensor
) -> None:
    """Bias correction divides by 1 - beta^count, eps is added after the root (Kingma and Ba 2015, algorithm 1)."""
    torch._fused_adam_(
        [coordinates],
        [gradient],
        [slots["mean"]],
        [slots["square"]],
        [],
        [count],
        lr=lr,
        beta1=rule.beta1,
        beta2=rule.beta2,
        weight_decay=0.0,
        eps=rule.eps,
        amsgrad=False,
        maximize=False,
    )


UPDATES: dict[str, Callable[..., None]] = {"sgd": sgd, "adam": adam}
