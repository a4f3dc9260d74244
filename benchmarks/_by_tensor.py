"""Fastfood as its users write it: a transform for each tensor, differentiated by autograd, around any module."""

import math

import torch
from torch import nn
from torch.func import functional_call


class ByTensor(nn.Module):
    """theta_0 + P theta, with a P of its own for every tensor, each filled up to a power of two."""

    def __init__(self, module: nn.Module, dim: int) -> None:
        super().__init__()
        self.around, self.theta = [module], nn.Parameter(torch.zeros(dim))
        self.start = {name: value.detach().clone() for name, value in module.named_parameters()}
        self.parts = {name: draw(value.numel(), dim) for name, value in self.start.items()}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = {name: start + along(self.theta, *self.parts[name], start) for name, start in self.start.items()}
        return functional_call(self.around[0], weights, (x,))


def draw(size: int, dim: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    side = 1 << (max(size, dim) - 1).bit_length()
    return 2.0 * torch.randint(2, (side,)) - 1, torch.randperm(side), torch.randn(side)


def along(
    theta: torch.Tensor, signs: torch.Tensor, order: torch.Tensor, gauss: torch.Tensor, like: torch.Tensor
) -> torch.Tensor:
    whole = nn.functional.pad(theta, (0, len(signs) - len(theta)))
    middle = butterfly(whole * signs)[order] * gauss
    found = butterfly(middle)[: like.numel()] / math.sqrt(len(signs) * float(gauss.square().sum()))
    return found.view_as(like)


def butterfly(x: torch.Tensor) -> torch.Tensor:
    """H x by sums and differences, one pass for each bit."""
    half = 1
    while half < x.shape[-1]:
        pairs = x.view(-1, 2, half)
        x = torch.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], 1).view(-1)
        half *= 2
    return x
