"""Columns with few entries, of either sign."""

import numpy as np
import torch

from rmtlottery.charts.projections import columns
from rmtlottery.charts.projections.projection import Held, Projection


class Sparse(Projection):
    """Each entry is there with probability 1/sqrt(D) (Li, Hastie and Church 2006), of either sign; columns have norm 1."""

    kind = "sparse"

    @property
    def size(self) -> int:
        return columns.size(self.ambient**0.5 * self.dim, self.ambient)

    def draw(self) -> Held:
        purpose = (self.seed, "projection", "sparse", self.ambient)
        return columns.drawn(self.ambient, self.dim, self.ambient**-0.5, signs, *purpose)

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        return columns.times(self.held, theta)

    def back(self, g: torch.Tensor) -> torch.Tensor:
        return columns.transposed_times(self.held, g)


def signs(stream: np.random.Generator, number: int) -> np.ndarray:
    return (2 * stream.integers(2, size=number) - 1) / number**0.5
