"""Directions that are found and not drawn: the columns of a P as they are handed over."""

import torch

from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.refusal import Refusal


class Given(Projection):
    """P whose columns are the rows of `columns`, (d, D)."""

    kind = "given"
    together = True

    def __init__(self, columns: torch.Tensor) -> None:
        self.columns = columns.float()
        super().__init__(columns.shape[1], len(columns), 0)

    @property
    def size(self) -> int:
        return 4 * self.columns.numel()

    def draw(self) -> Held:
        return {"columns": self.columns}

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        return theta @ self.held["columns"]

    def back(self, g: torch.Tensor) -> torch.Tensor:
        return g @ self.held["columns"].T

    def first(self, dim: int) -> "Given":
        """The first so many of them."""
        if not 1 <= dim <= self.dim:
            raise Refusal(f"dim = {dim} is not between 1 and the {self.dim} directions that the trajectory has")
        return Given(self.columns[:dim])
