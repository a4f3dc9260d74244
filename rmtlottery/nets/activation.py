"""Activations as torch computes them, by the names that `rmtlottery.meanfield.activations` gives to theory."""

import torch
from torch import Tensor
from torch.nn import functional


def linear(h: Tensor) -> Tensor:
    return h


PHI = {
    "tanh": torch.tanh,
    "erf": torch.erf,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "hard_tanh": functional.hardtanh,
    "linear": linear,
    "gelu": functional.gelu,
    "silu": functional.silu,
}
