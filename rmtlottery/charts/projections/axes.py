"""Few weights, and no others, move."""

import torch

from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.tickets.streams import generator


class Axes(Projection):
    """Each column is one weight's own axis: the first d of all weights in random order. P^T P = 1 exactly.

    What random masks leave to train, but for what is cut: here it stays where it starts.
    """

    kind = "axes"
    law = "axes"
    implicit = True

    def draw(self) -> Held:
        order = generator(self.seed, "projection", "axes", self.ambient).permutation(self.ambient)
        return {"places": torch.from_numpy(order[: self.dim])}

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        return theta.new_zeros(len(theta), self.ambient).index_copy_(1, self.held["places"], theta)

    def back(self, g: torch.Tensor) -> torch.Tensor:
        return g.index_select(1, self.held["places"])
