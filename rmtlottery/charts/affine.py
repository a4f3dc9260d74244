"""Charts of few coordinates: random directions through theta_0, and what is made of them."""

from collections.abc import Sequence

import torch

from rmtlottery.charts.chart import Chart
from rmtlottery.charts.maps import Maps
from rmtlottery.charts.projections import Projection
from rmtlottery.refusal import Refusal


def affine(theta: torch.Tensor, maps: Sequence[Projection]) -> Chart:
    """theta_0 + P x (Li et al. 2018), with a P for each replicate; neighbours with the same P are mapped together.

    Replicates have as many coordinates as the widest P has columns; those beyond a narrower P move nothing.
    """
    all_maps = Maps(theta, maps)

    def weights(coordinates: torch.Tensor) -> torch.Tensor:
        return all_maps.apply(coordinates).add_(theta)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return all_maps.adjoint(gradient)

    return Chart(theta.new_zeros(len(theta), all_maps.dim), weights, pull)


def said(theta: torch.Tensor, maps: Sequence[Projection], layers: Sequence[int]) -> Chart:
    """theta_0 + lambda_l (P x)_l, with a factor for each layer (SAID, Aghajanyan et al. 2020).

    `layers` are the numbers of weights of each, in their order. Coordinates are the factors, 1 at the start, and then x: all
    of them are trained, and all count.
    """
    all_maps = Maps(theta, maps)
    if sum(layers) != theta.shape[1]:
        raise Refusal(f"layers of {sum(layers)} weights in all are not those of {theta.shape[1]} weights")
    ones = theta.new_ones(len(theta), len(layers))
    start = torch.cat([ones, theta.new_zeros(len(theta), all_maps.dim)], 1)
    lengths = torch.tensor(layers, device=theta.device)

    def weights(coordinates: torch.Tensor) -> torch.Tensor:
        factors, x = parted(coordinates)
        return theta + over_layers(factors) * all_maps.apply(x)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        factors, x = parted(at)
        parts = (gradient * all_maps.apply(x)).split(list(layers), 1)
        by_factors = torch.stack([part.sum(1) for part in parts], 1)
        return torch.cat([by_factors, all_maps.adjoint(gradient * over_layers(factors))], 1)

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
    fixed = places >= torch.tensor(dims, device=places.device).unsqueeze(1)

    def pull(gradient: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return chart.pull(gradient, at).masked_fill(fixed, 0.0)

    return Chart(chart.start, chart.weights, pull)
