"""How two nets that were trained along directions of their own went with respect to each other."""

import torch

from rmtlottery.charts.flat import flatten
from rmtlottery.charts.projections import Projection
from rmtlottery.charts.projections.projection import free
from rmtlottery.measure.stored import shapes_of
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket


def course(ticket: Ticket) -> dict[int, torch.Tensor]:
    """step -> where training had led by then from where it began, of the steps that were recorded and of the last."""
    shapes = shapes_of(ticket)
    start = flatten(ticket.start, shapes)
    kept = {step: weights for step, weights in ticket.snapshots.items() if step} | {last(ticket): ticket.weights}
    return {step: flatten(weights, shapes) - start for step, weights in sorted(kept.items())}


def last(ticket: Ticket) -> int:
    return int(ticket.metrics[-1]["step"])


def basis(map_: Projection) -> torch.Tensor:
    """Orthonormal columns (D, d) that span what P reaches, in float64."""
    room, needed = free(), 3 * 8 * map_.ambient * map_.dim
    if room is not None and needed > room:
        words = f"{map_} written out takes {needed / 1e9:.3g} GB, and {room / 1e9:.3g} GB are free"
        raise Refusal(f"{words}: ask of fewer directions")
    return torch.linalg.qr(map_.apply(torch.eye(map_.dim)).double().T)[0]


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    one, other = one.double(), other.double()
    return float(one @ other / (one.norm() * other.norm()))


def share_within(moved: torch.Tensor, columns: torch.Tensor) -> float:
    """The part of a displacement's square that lies within a subspace."""
    moved = moved.double()
    return float((moved @ columns).square().sum() / moved.square().sum())


def squared_cosines(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Of the principal angles between two subspaces, the largest first."""
    return torch.linalg.svdvals(one.T @ other).square()
