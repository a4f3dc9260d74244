"""Gaussian in all but its making: two Walsh-Hadamard transforms around a permutation and a Gaussian diagonal."""

import torch
from torch.nn.functional import pad

from rmtlottery.charts.hadamard import hadamard, power_of_two
from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.tickets.streams import generator

BLOCK = 4096


class Fastfood(Projection):
    """V = (1/c) H G Pi H B (Le, Sarlos and Smola 2013), its first D rows and d columns, over all weights at once.

    H is of side L, the power of two that is no less than D; c = sqrt(D sum G^2), over all L: columns have unit norm,
    exactly if D = L, else in expectation. Only the first d coordinates are not 0, so that what the first H makes repeats
    with the period of the power of two above d.
    """

    kind = "fastfood"
    implicit = True

    @property
    def side(self) -> int:
        """Rows of a block of V; there are as many blocks below each other as D takes, and beside each other as d takes."""
        return power_of_two(self.ambient)

    @property
    def below(self) -> int:
        return -(-self.ambient // self.side)

    @property
    def beside(self) -> int:
        return -(-self.dim // self.side)

    @property
    def size(self) -> int:
        return (36 + 52 * self.beside) * self.side * self.below

    def draw(self) -> Held:
        parts = [self.block(column, self.below, self.side) for column in range(self.beside)]
        return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}

    def block(self, column: int, below: int, side: int) -> Held:
        """What one column of blocks draws: B once, since blocks below each other differ enough by G and Pi."""
        stream = generator(self.seed, "projection", self.kind, self.ambient, column)
        signs = torch.from_numpy(2 * stream.integers(2, size=side) - 1).float()
        gauss = torch.from_numpy(stream.standard_normal((below, side))).float()
        places = torch.stack([torch.from_numpy(stream.permutation(side)) for _ in range(below)])
        fold = places.flatten() % self.period
        scale = (self.ambient / below * gauss.double().square().sum()).sqrt().float()
        gauss = gauss.flatten() / scale
        return {"signs": signs[: self.period], "gauss": gauss, "fold": fold, "order": torch.argsort(fold, stable=True)}

    @property
    def period(self) -> int:
        return min(self.side, power_of_two(self.dim))

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        period, held = self.period, self.held
        parts = pad(theta, (0, len(held["signs"]) * period - self.dim)).view(len(theta), -1, period)
        first = hadamard(parts * held["signs"])
        middle = sum(first[:, at].index_select(1, fold) * held["gauss"][at] for at, fold in enumerate(held["fold"]))
        assert isinstance(middle, torch.Tensor)
        return hadamard(middle.view(len(theta), -1, self.side)).flatten(1)[:, : self.ambient]

    def back(self, g: torch.Tensor) -> torch.Tensor:
        period, held = self.period, self.held
        padded = pad(g, (0, held["gauss"].shape[1] - self.ambient)).view(len(g), -1, self.side)
        middle = hadamard(padded).flatten(1)
        parts = [
            (middle * gauss).index_select(1, order).view(len(g), period, -1).sum(2)
            for gauss, order in zip(held["gauss"], held["order"], strict=True)
        ]
        return (hadamard(torch.stack(parts, 1)) * held["signs"]).flatten(1)[:, : self.dim]


class BlockFastfood(Fastfood):
    """The same in blocks of 4096 rows, below each other, each with G and Pi of its own: less to transform. It holds D
    numbers for every 4096 columns."""

    kind = "fastfood_block"

    @property
    def side(self) -> int:
        return min(BLOCK, power_of_two(self.ambient))
