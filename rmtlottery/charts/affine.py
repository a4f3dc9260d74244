"""Charts of few coordinates: random directions through theta_0, and what is made of them."""

from collections.abc import Sequence
from itertools import groupby

import torch

from rmtlottery.charts.chart import Chart
from rmtlottery.charts.projections import Projection
from rmtlottery.refusal import Refusal


def affine(theta: torch.Tensor, maps: Sequence[Projection]) -> Chart:
    """theta_0 + P x (Li et al. 2018), with a P for each replicate; neighbours with the same P are mapped together.

    Replicates have as many coordinates as the widest P has columns; those beyond a narrower P move nothing.
    """
    check(theta, maps)
    start = theta.new_zeros(len(theta), most(maps))

    def weights(coordinates: torch.Tensor) -> torch.Tensor:
        return theta + apply(maps, coordinates)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return adjoint(maps, gradient, at)

    return Chart(start, weights, pull)


def said(theta: torch.Tensor, maps: Sequence[Projection], layers: Sequence[int]) -> Chart:
    """theta_0 + lambda_l (P x)_l, with a factor for each layer (SAID, Aghajanyan et al. 2020).

    `layers` are the numbers of weights of each, in their order. Coordinates are the factors, 1 at the start, and then x: all
    of them are trained, and all count.
    """
    check(theta, maps)
    if sum(layers) != theta.shape[1]:
        raise Refusal(f"layers of {sum(layers)} weights in all are not those of {theta.shape[1]} weights")
    ones = theta.new_ones(len(theta), len(layers))
    start = torch.cat([ones, theta.new_zeros(len(theta), most(maps))], 1)
    lengths = torch.tensor(layers, device=theta.device)

    def weights(coordinates: torch.Tensor) -> torch.Tensor:
        factors, x = parted(coordinates)
        return theta + over_layers(factors) * apply(maps, x)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        factors, x = parted(at)
        parts = (gradient * apply(maps, x)).split(list(layers), 1)
        by_factors = torch.stack([part.sum(1) for part in parts], 1)
        return torch.cat([by_factors, adjoint(maps, gradient * over_layers(factors), x)], 1)

    def parted(coordinates: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return coordinates[:, : len(layers)], coordinates[:, len(layers) :]

    def over_layers(factors: torch.Tensor) -> torch.Tensor:
        return factors.repeat_interleave(lengths, 1, output_size=theta.shape[1])

    return Chart(start, weights, pull)


def leading(chart: Chart, dims: Sequence[int]) -> Chart:
    """`chart` with all but the first coordinates of each replicate fixed where they start, so many as `dims` says.

    Where columns are nested, that is the chart of so many coordinates: replicates of several sizes train as one.
    """
    if len(dims) != len(chart.start):
        raise Refusal(f"{len(dims)} sizes are given for {len(chart.start)} replicates")
    places = torch.arange(chart.start.shape[1], device=chart.start.device)
    free = places < torch.tensor(dims, device=places.device).unsqueeze(1)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return torch.where(free, chart.pull(gradient, at), 0.0)

    return Chart(chart.start, chart.weights, pull)


def check(theta: torch.Tensor, maps: Sequence[Projection]) -> None:
    """Refuses maps that are not one a replicate, or that move another number of weights."""
    if len(maps) != len(theta):
        raise Refusal(f"{len(maps)} projections are given for {len(theta)} replicates")
    for each in maps:
        if each.ambient != theta.shape[1]:
            raise Refusal(f"{each} moves {each.ambient} weights, and there are {theta.shape[1]}")


def most(maps: Sequence[Projection]) -> int:
    return max(each.dim for each in maps)


def apply(maps: Sequence[Projection], coordinates: torch.Tensor) -> torch.Tensor:
    return torch.cat([each.apply(coordinates[rows, : each.dim]) for each, rows in shared(maps)])


def adjoint(maps: Sequence[Projection], gradient: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    found = torch.zeros_like(like)
    for each, rows in shared(maps):
        found[rows, : each.dim] = each.adjoint(gradient[rows])
    return found


def shared(maps: Sequence[Projection]) -> list[tuple[Projection, slice]]:
    """Each projection once, with the neighbours that share it."""
    found, first = [], 0
    for _, same in groupby(maps, key=id):
        held = list(same)
        found.append((held[0], slice(first, first + len(held))))
        first += len(held)
    return found
