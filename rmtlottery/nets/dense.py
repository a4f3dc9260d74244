"""Layers of a fully connected chain whose weights are whole matrices."""

from dataclasses import dataclass

import torch

LARGE = 2**20  # multiplications of one seed from which a CPU does better with one seed after another


@dataclass(frozen=True)
class Dense:
    """Views of weight (seeds, out, in) and bias (seeds, out), and of where their gradients go."""

    weight: torch.Tensor
    bias: torch.Tensor
    weight_slope: torch.Tensor
    bias_slope: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return product(self.weight, x).add_(self.bias.unsqueeze(-1))

    def back(self, delta: torch.Tensor) -> torch.Tensor:
        return product(self.weight.mT, delta)

    def write(self, delta: torch.Tensor, x: torch.Tensor) -> None:
        product(delta, x.mT, self.weight_slope)
        torch.sum(delta, -1, out=self.bias_slope)


def product(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """a @ b of every seed."""
    seeds, rows, inner = a.shape
    if a.device.type != "cpu" or (seeds > 1 and rows * inner * b.shape[2] < LARGE):
        return torch.bmm(a, b) if out is None else torch.bmm(a, b, out=out)
    out = a.new_empty(seeds, rows, b.shape[2]) if out is None else out
    for seed in range(seeds):
        torch.mm(a[seed], b[seed], out=out[seed])
    return out
