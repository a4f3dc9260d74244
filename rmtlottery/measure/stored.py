"""Several subnets in one vector of weights, w_0 + sum_k A_k x_k, and what can be read of one of them (Yang 2022)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, lsqr

from rmtlottery.charts.drawn import projection_of
from rmtlottery.charts.flat import Shapes, flatten
from rmtlottery.charts.projections import Projection
from rmtlottery.charts.projections.beside import Beside
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Affine
from rmtlottery.tickets.ticket import Ticket

READOUTS = ("sum", "projection", "mask", "unmixed")
TOLERANCE, MOST = 1e-8, 5000  # of least squares, and its steps
TOGETHER = 64  # columns that are written out at once


class Stored(NamedTuple):
    """The maps A_k, where each was led by its coordinates, (K, D), and w_0."""

    maps: tuple[Projection, ...]
    moved: torch.Tensor
    start: torch.Tensor

    @classmethod
    def of(cls, tickets: Sequence[Ticket]) -> "Stored":
        """Of tickets that began at the same weights, each along directions of its own."""
        shapes = shapes_of(tickets[0])
        start = flatten(tickets[0].start, shapes)
        for ticket in tickets[1:]:
            if not torch.equal(flatten(ticket.start, shapes), start):
                raise Refusal(f"{ticket} and {tickets[0]} began at different weights, and cannot share them")
        maps = [directions(ticket, shapes) for ticket in tickets]
        if len({each.fingerprint for each in maps}) < len(maps):
            words = f"two of {len(maps)} subnets, the first {tickets[0]}, go along the same directions"
            raise Refusal(f"{words}: train each with another --draw")
        moved = torch.stack([flatten(ticket.weights, shapes) - start for ticket in tickets])
        for ticket, length in zip(tickets, moved.double().norm(dim=1).tolist(), strict=True):
            if not 0 < length < float("inf"):
                raise Refusal(f"{ticket} ended {length:g} from its start: it is no subnet that could be read")
        return cls(tuple(maps), moved, start)

    def first(self, number: int) -> "Stored":
        return Stored(self.maps[:number], self.moved[:number], self.start)

    def readings(self, readout: str) -> torch.Tensor:
        """What is read as the displacement of each, (K, D), of their sum."""
        total = self.moved.sum(0)
        if readout == "sum":
            return total.expand_as(self.moved)
        if readout == "projection":
            return torch.stack([each.apply(solved(each, total)) for each in self.maps])
        if readout == "unmixed":
            parts = solved(Beside(self.maps), total).split([each.dim for each in self.maps])
            return torch.stack([each.apply(x) for each, x in zip(self.maps, parts, strict=True)])
        powers = self.powers()
        return total * (powers / powers.sum(0).clamp(min=torch.finfo(powers.dtype).tiny))

    @property
    def touched(self) -> float:
        """The share of weights that a subnet moves, the mean over subnets."""
        return float(torch.stack([(squares(each) > 0).double().mean() for each in self.maps]).mean())

    @property
    def cosine(self) -> float:
        """Of two displacements, the mean over all pairs."""
        units = self.moved.double() / self.moved.double().norm(dim=1, keepdim=True)
        many = len(units)
        return float((units.sum(0).square().sum() - many) / (many * (many - 1))) if many > 1 else 0.0

    def powers(self) -> torch.Tensor:
        """The square that is expected of each displacement in each weight, given its length: a subnet's soft mask is its
        share of all."""
        rows = torch.stack([squares(each) for each in self.maps])
        return rows * (self.moved.square().sum(1, keepdim=True) / rows.sum(1, keepdim=True))


def shapes_of(ticket: Ticket) -> Shapes:
    """Of its weights and biases, in the order of the net."""
    return {name: tuple(ticket.start[name].shape) for name in ticket.record["parameters"]}


def directions(ticket: Ticket, shapes: Shapes) -> Projection:
    """P as the ticket was trained along it."""
    assert ticket.spec is not None
    part = ticket.spec.chart
    if not isinstance(part, Affine) or part.kind != Affine.kind or ticket.seed is None:
        raise Refusal(f"{ticket} was trained with chart {part.kind}: subnets are tickets of chart affine")
    made = projection_of(part, shapes, ticket.seed)
    if made.fingerprint != ticket.chart["fingerprint"]:
        there = f"{ticket} was trained along directions {ticket.chart['fingerprint']}"
        raise Refusal(f"{there}, and with these libraries its seed gives {made.fingerprint}; take the old ones")
    return made


def solved(map_: Projection, total: torch.Tensor) -> torch.Tensor:
    """The coordinates that lead nearest to these weights, the shortest of them."""

    def there(x: np.ndarray) -> np.ndarray:
        return map_.apply(torch.from_numpy(x).reshape(-1).float()).double().numpy()

    def back(g: np.ndarray) -> np.ndarray:
        return map_.adjoint(torch.from_numpy(g).reshape(-1).float()).double().numpy()

    operator = LinearOperator((map_.ambient, map_.dim), matvec=there, rmatvec=back, dtype=float)
    found = lsqr(operator, total.double().numpy(), atol=TOLERANCE, btol=TOLERANCE, iter_lim=MOST)[0]
    return torch.from_numpy(found).to(total)


def squares(map_: Projection) -> torch.Tensor:
    """|row|^2 of P, a number for each weight."""
    found = torch.zeros(map_.ambient)
    for first in range(0, map_.dim, TOGETHER):
        some = torch.eye(map_.dim)[first : first + TOGETHER]
        found += map_.apply(some).square().sum(0)
    return found
