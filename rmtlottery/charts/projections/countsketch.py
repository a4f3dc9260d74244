"""Every weight moves with one coordinate."""

import torch

from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.tickets.streams import generator


class CountSketch(Projection):
    """One entry a row, of random sign: P^T P = 1 exactly (Charikar, Chen and Farach-Colton 2002).

    Rows are dealt to columns in random order, so that none is empty and their numbers differ by one at most. Which rows a
    column has depends on d: it is not nested, since the first columns of more would leave rows empty.
    """

    kind = "countsketch"
    law = "orthonormal"
    nested = False
    implicit = True

    def draw(self) -> Held:
        stream = generator(self.seed, "projection", "countsketch", self.ambient)
        order = torch.from_numpy(stream.permutation(self.ambient))
        column, least = torch.arange(self.ambient) % self.dim, self.ambient // self.dim
        size = torch.bincount(column)
        owner = torch.empty_like(column)
        owner[order] = column
        sign = torch.from_numpy(2 * stream.integers(2, size=self.ambient) - 1).float()
        hand = order[: least * self.dim].view(least, self.dim)
        return {"owner": owner, "entry": sign / size[owner].sqrt(), "hand": hand, "rest": order[least * self.dim :]}

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        return theta.index_select(1, self.held["owner"]).mul_(self.held["entry"])

    def back(self, g: torch.Tensor) -> torch.Tensor:
        signed, hand, rest = g * self.held["entry"], self.held["hand"], self.held["rest"]
        found = signed.index_select(1, hand.flatten()).view(len(g), *hand.shape).sum(1)
        found[:, : len(rest)] += signed.index_select(1, rest)
        return found
