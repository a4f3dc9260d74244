"""What a net that was trained along few directions does where it is led elsewhere: by what others left of its weights."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from rmtlottery import datasets
from rmtlottery.charts.projections import Projection
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure.hessian import Landscape, landscape
from rmtlottery.tickets.parts import Data
from rmtlottery.tickets.ticket import Ticket


@dataclass(frozen=True)
class Subnet:
    """A ticket, P and where its coordinates led it, seen on the first `samples` training samples (0: all) of its own task,
    and on the whole test part."""

    ticket: Ticket
    map_: Projection
    moved: torch.Tensor
    samples: int

    @cached_property
    def seen(self) -> Landscape:
        return landscape(self.ticket, self.ticket.weights, self.samples)

    @property
    def task(self) -> Data:
        assert self.ticket.spec is not None
        return self.ticket.spec.data

    @cached_property
    def test(self) -> Split:
        return datasets.dataset(self.task).test

    def loss(self, moved: torch.Tensor) -> float:
        return self.seen.value(self.at(moved))

    @torch.no_grad()
    def logits(self, moved: torch.Tensor) -> torch.Tensor:
        """Of the test part."""
        return torch.cat([self.seen.logits(self.at(moved), x) for x in self.test.x.split(self.seen.batch)])

    def at(self, moved: torch.Tensor) -> torch.Tensor:
        return self.seen.at + (moved - self.moved)

    def rise(self, within: bool, probes: int, numbers: np.random.Generator) -> float:
        """What moves as long as its own add to the loss to second order: the mean over random ones, or those within its own
        subspace, of 1/2 v^T H v."""
        product, found = self.seen.hessian, []
        for _ in range(probes):
            drawn = torch.from_numpy(numbers.standard_normal(self.map_.dim if within else self.map_.ambient)).float()
            v = self.map_.apply(drawn) if within else drawn
            v = v * (self.moved.norm() / v.norm())
            found.append(float(v @ product(v)) / 2)
        return float(np.mean(found))
