"""`Maps`: the projections of several replicates, as one."""

from collections.abc import Sequence
from itertools import groupby

import torch

from rmtlottery.charts.projections import Projection
from rmtlottery.refusal import Refusal

SMALL = 2**19  # numbers of a matrix that is written out
IN_ALL = 2**24  # of all of them


class Maps:
    """A P for each replicate of `theta`; neighbours with the same one are mapped together.

    All are as wide as the widest: what a narrower one is given beyond its own columns moves nothing. Small ones are written
    out once, as matrices.
    """

    def __init__(self, theta: torch.Tensor, maps: Sequence[Projection]) -> None:
        check(theta, maps)
        self.dim = max(each.dim for each in maps)
        self.groups = shared(maps)
        alike = len({rows.stop - rows.start for _, rows in self.groups}) == 1
        numbers = self.dim * theta.shape[1]
        small = alike and numbers <= SMALL and numbers * len(self.groups) <= IN_ALL
        self.matrices = self.written(theta) if small else None

    def written(self, theta: torch.Tensor) -> torch.Tensor:
        """P^T of each group."""
        found = theta.new_zeros(len(self.groups), self.dim, theta.shape[1])
        for place, (each, _) in enumerate(self.groups):
            found[place, : each.dim] = each.apply(torch.eye(each.dim, device=theta.device))
        return found

    def apply(self, coordinates: torch.Tensor) -> torch.Tensor:
        if self.matrices is not None:
            return self.times(coordinates, self.matrices)
        return torch.cat([each.apply(coordinates[rows, : each.dim]) for each, rows in self.groups])

    def adjoint(self, gradient: torch.Tensor) -> torch.Tensor:
        if self.matrices is not None:
            return self.times(gradient, self.matrices.mT)
        found = gradient.new_zeros(len(gradient), self.dim)
        for each, rows in self.groups:
            found[rows, : each.dim] = each.adjoint(gradient[rows])
        return found

    def times(self, rows: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        of_group = rows.reshape(len(self.groups), -1, rows.shape[1])
        return torch.bmm(of_group, matrices).flatten(0, 1)


def check(theta: torch.Tensor, maps: Sequence[Projection]) -> None:
    """Refuses maps that are not one a replicate, or that move another number of weights."""
    if len(maps) != len(theta):
        raise Refusal(f"{len(maps)} projections are given for {len(theta)} replicates")
    for each in maps:
        if each.ambient != theta.shape[1]:
            raise Refusal(f"{each} moves {each.ambient} weights, and there are {theta.shape[1]}")


def shared(maps: Sequence[Projection]) -> list[tuple[Projection, slice]]:
    """Each projection once, with the neighbours that share it."""
    found, first = [], 0
    for _, same in groupby(maps, key=id):
        held = list(same)
        found.append((held[0], slice(first, first + len(held))))
        first += len(held)
    return found
