"""`Chart`: what training may reach, as coordinates and the map from coordinates to weights.

Everything is flat and batched: coordinates (replicates, d), weights (replicates, D). Charts compose:
`masked(full(theta), mask)` is a ticket's chart.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch


class Chart(NamedTuple):
    """Coordinates at the start of training, and where coordinates lie among the weights."""

    start: torch.Tensor
    weights: Callable[[torch.Tensor], torch.Tensor]


def full(theta: torch.Tensor) -> Chart:
    """Every weight is its own coordinate."""
    return Chart(theta, lambda coordinates: coordinates)


def masked(chart: Chart, mask: torch.Tensor) -> Chart:
    """`chart` with some weights fixed at exactly 0; the chain rule masks their gradients, infinite ones too."""
    return Chart(chart.start, lambda coordinates: torch.where(mask, chart.weights(coordinates), 0.0))
