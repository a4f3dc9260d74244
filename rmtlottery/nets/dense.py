"""Layers of a fully connected chain whose weights are whole matrices."""

from dataclasses import dataclass

import torch

from rmtlottery.nets.activation import PHI
from rmtlottery.nets.backprop import Signal
from rmtlottery.nets.products import affine, product


@dataclass(frozen=True)
class Dense:
    """Views of weight (seeds, out, in) and bias (seeds, out), and of where their gradients go, if they go anywhere."""

    weight: torch.Tensor
    bias: torch.Tensor
    weight_slope: torch.Tensor | None = None
    bias_slope: torch.Tensor | None = None

    def forward(self, x: torch.Tensor, phi: str) -> Signal:
        quick = affine(x, self.weight, self.bias, phi)
        if quick is not None:
            return Signal(quick, quick)
        h = product(x.expand(len(self.weight), -1, -1), self.weight.mT).add_(self.bias.unsqueeze(1))
        return Signal(h, PHI[phi](h))

    def back(self, delta: torch.Tensor) -> torch.Tensor:
        return product(delta, self.weight)

    def write(self, delta: torch.Tensor, x: torch.Tensor) -> None:
        assert self.weight_slope is not None
        product(delta.mT, x, self.weight_slope)
        torch.sum(delta, 1, out=self.bias_slope)
