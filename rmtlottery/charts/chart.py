"""`Chart`: what training may reach, as coordinates, the map from coordinates to weights, and what pulls a gradient back.

Everything is flat and batched: coordinates (replicates, d), weights (replicates, D). Charts compose:
`masked(full(theta), mask)` is a ticket's chart.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import torch

from rmtlottery.charts.bits import bits, only_

Map = Callable[[torch.Tensor], torch.Tensor]
Pull = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Chart(NamedTuple):
    """Coordinates at the start of training, where they lie among the weights, and what pulls a gradient back to them.

    `pull` takes the gradient by the weights, into which it may write, and the coordinates where it was found: it is the
    transpose of the slope of the map there. A chart is `plain` if coordinates that begin at `start` and move as they are
    pulled are the weights themselves.
    """

    start: torch.Tensor
    weights: Map
    pull: Pull
    plain: bool = False


def full(theta: torch.Tensor) -> Chart:
    """Every weight is its own coordinate."""
    return Chart(theta, lambda coordinates: coordinates, lambda gradient, at: gradient, plain=True)


def masked(chart: Chart, mask: torch.Tensor) -> Chart:
    """`chart` with some weights fixed at exactly 0, whatever their gradients, infinite ones too."""
    kept = lru_cache(partial(bits, mask))

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return chart.pull(only_(kept(gradient.dtype), gradient), at)

    def weights(coordinates: torch.Tensor) -> torch.Tensor:
        return only_(kept(coordinates.dtype), chart.weights(coordinates).clone())

    return Chart(weights(chart.start) if chart.plain else chart.start, weights, pull, chart.plain)


def survivors(theta: torch.Tensor, mask: torch.Tensor) -> Chart:
    """What `masked(full(theta), mask)` reaches, with a coordinate for each kept weight alone, in the order of the weights.

    Every replicate keeps the same number.
    """
    places = mask.flatten().nonzero().squeeze(1)

    def weights(coordinates: torch.Tensor) -> torch.Tensor:
        whole = torch.zeros(theta.numel(), dtype=coordinates.dtype, device=theta.device)
        return whole.index_copy_(0, places, coordinates.flatten()).view_as(theta)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return gradient.flatten().index_select(0, places).view(len(theta), -1)

    return Chart(pull(theta, theta), weights, pull)
