"""How long the signal is in each layer of a finite chain of layers, and how much a layer stretches small changes of it."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from rmtlottery import datasets, nets
from rmtlottery.nets.init import sigmas
from rmtlottery.nets.network import Layer, Map, Network, Weights
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

Fact = Callable[[Layer, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
PORTION = 64


class Probe(NamedTuple):
    """A ticket's network and the test inputs that are sent through it."""

    network: Network
    x: torch.Tensor
    words: str


def probe(ticket: Ticket, samples: int) -> Probe:
    """The first `samples` test inputs, or all there are."""
    if samples < 1:
        raise Refusal(f"samples = {samples} is not at least 1")
    if ticket.spec is None:
        raise Refusal("a ticket without a Spec names no data set to probe it with")
    data = datasets.dataset(ticket.spec.data)
    x = data.test.x[:samples]
    words = f"{len(x)} test inputs of {ticket.spec.data.kind}; {data.preprocessing}"
    return Probe(nets.chain(ticket.spec.net, data.shape, data.classes), x, words)


def nominal(ticket: Ticket) -> list[tuple[float, float]]:
    """(sigma_w, sigma_b) of every hidden layer as the Spec's init has them."""
    assert ticket.spec is not None
    return [sigmas(ticket.spec.init, tuple(mask.shape)) for mask in list(ticket.mask.values())[:-1]]


def nominal_shares(ticket: Ticket) -> list[torch.Tensor]:
    """How much of the variance of each hidden layer's weights an init puts where in the kernel: evenly, or in the middle."""
    assert ticket.spec is not None
    shares = []
    for mask in list(ticket.mask.values())[:-1]:
        kernel = torch.ones(mask.shape[2:], dtype=torch.float64)
        if ticket.spec.init.kind == "delta_orthogonal" and kernel.dim():
            kernel = torch.zeros(kernel.numel(), dtype=torch.float64)
            kernel[kernel.numel() // 2] = 1
        shares.append((kernel / kernel.sum()).reshape(mask.shape[2:]))
    return shares


def hidden_lengths(network: Network, weights: Weights, x: torch.Tensor) -> list[float]:
    """q^l of every hidden layer: the mean of h^2 over units and inputs."""
    return over_inputs(network, weights, x, lambda layer, weight, given, h: h.square())


def gains(network: Network, weights: Weights, x: torch.Tensor) -> list[float]:
    """chi^l of every hidden layer: |D_l W_l|_F^2 / N_l, D_l the slopes of phi at h^l, averaged over inputs."""

    def stretch(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return slopes(network.phi, h).square() * layer.linear(weight.square(), torch.ones_like(given[:1]))

    return over_inputs(network, weights, x, stretch)


@torch.no_grad()
def over_inputs(network: Network, weights: Weights, x: torch.Tensor, fact: Fact) -> list[float]:
    """The mean over units and inputs of a fact of every hidden layer, in float64, a portion of the inputs at a time."""
    exact = {name: value.double() for name, value in weights.items()}
    hidden = network.layers[:-1]
    totals = [0.0] * len(hidden)
    for part in x.split(PORTION):
        for place, (layer, (given, h)) in enumerate(zip(hidden, network.signals(exact, part.double()), strict=False)):
            totals[place] += fact(layer, exact[f"{layer.name}.weight"], given, h).mean().item() * len(part)
    return [total / len(x) for total in totals]


def slopes(phi: Map, h: torch.Tensor) -> torch.Tensor:
    """phi'(h), number by number."""
    with torch.enable_grad():
        h = h.detach().requires_grad_()
        return torch.autograd.grad(phi(h).sum(), h)[0]


def window_mean(layer: Layer, shares: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """What a layer's rows see of a mean square x, the same in all channels: (samples, 1, positions) -> the same.

    `shares` say how much of the weights' variance lies where in the kernel; what is outside the picture counts as 0.
    """
    return layer.linear(shares[None, None], x) if len(layer.shape) > 2 else x.flatten(1).mean(1, keepdim=True)
