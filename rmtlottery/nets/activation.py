"""Activations as torch computes them, by the names that `rmtlottery.meanfield.activations` gives to theory."""

from collections.abc import Callable
from math import pi, sqrt

import torch
from torch import Tensor
from torch.nn import functional

aten = torch.ops.aten


def linear(h: Tensor) -> Tensor:
    return h


PHI: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "erf": torch.erf,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "hard_tanh": functional.hardtanh,
    "linear": linear,
    "gelu": functional.gelu,
    "silu": functional.silu,
}

# g phi'(h), from g, h and x = phi(h), in one pass where torch has one
PULL: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "tanh": lambda g, h, x: aten.tanh_backward(g, x),
    "erf": lambda g, h, x: (h * h).neg_().exp_().mul_(2 / sqrt(pi)).mul_(g),
    "relu": lambda g, h, x: aten.threshold_backward(g, x, 0),
    "leaky_relu": lambda g, h, x: aten.leaky_relu_backward(g, h, 0.01, False),
    "hard_tanh": lambda g, h, x: aten.hardtanh_backward(g, h, -1, 1),
    "linear": lambda g, h, x: g,
    "gelu": lambda g, h, x: aten.gelu_backward(g, h),
    "silu": lambda g, h, x: aten.silu_backward(g, h),
}
