"""How long the signal is in each layer of a finite chain of layers, and how much a layer stretches small changes of it."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from rmtlottery import datasets, nets
from rmtlottery.datasets.dataset import Split
from rmtlottery.nets.init import sigmas
from rmtlottery.nets.losses import MEANS, Mean
from rmtlottery.nets.network import Layer, Map, Network, Weights
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

Fact = Callable[[Layer, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
PORTION = 64
TRAINING = 20_000


class Probe(NamedTuple):
    """A ticket's network, the test inputs that are sent through it, their labels, training inputs for theory to know, and
    the mean loss that training minimised."""

    network: Network
    x: torch.Tensor
    words: str = ""
    y: torch.Tensor | None = None
    train: Split | None = None
    minimised: Mean | None = None


def probe(ticket: Ticket, samples: int) -> Probe:
    """The first `samples` test inputs, or all there are."""
    if samples < 1:
        raise Refusal(f"samples = {samples} is not at least 1")
    if ticket.spec is None:
        raise Refusal("a ticket without a Spec names no data set to probe it with")
    data = datasets.dataset(ticket.spec.data)
    x, y = data.test.x[:samples], data.test.y[:samples]
    words = f"{len(x)} test inputs of {ticket.spec.data.kind}; {data.preprocessing}"
    train = Split(data.train.x[:TRAINING], data.train.y[:TRAINING])
    network, minimised = nets.chain(ticket.spec.net, data.shape, data.classes), MEANS[ticket.spec.optimiser.loss]
    return Probe(network, x, words, y, train, minimised)


def nominal(ticket: Ticket) -> list[tuple[float, float]]:
    """(sigma_w, sigma_b) of every hidden layer as the Spec's init has them."""
    return every_nominal(ticket)[:-1]


def every_nominal(ticket: Ticket) -> list[tuple[float, float]]:
    """The same of the last layer too."""
    assert ticket.spec is not None
    return [sigmas(ticket.spec.init, tuple(mask.shape)) for mask in ticket.mask.values()]


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
    return [q for (q,) in over_inputs(network, weights, x, lambda layer, weight, given, h: h.square())]


def gains(network: Network, weights: Weights, x: torch.Tensor) -> list[tuple[float, ...]]:
    """chi and gain of every hidden layer: |D W|_F^2 / N, D the slopes of phi at h, averaged over inputs; and without D."""

    rows: dict[str, torch.Tensor] = {}

    def gain(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        if layer.name not in rows:
            rows[layer.name] = layer.linear(weight.square(), torch.ones_like(given[:1]))
        return rows[layer.name]

    def stretch(layer: Layer, weight: torch.Tensor, given: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return slopes(network.phi, h).square() * gain(layer, weight, given, h)

    return over_inputs(network, weights, x, stretch, gain)


@torch.no_grad()
def over_inputs(network: Network, weights: Weights, x: torch.Tensor, *facts: Fact) -> list[tuple[float, ...]]:
    """The means over units and inputs of facts of every hidden layer, in float64, a portion of the inputs at a time."""
    exact = {name: value.double() for name, value in weights.items()}
    hidden = network.layers[:-1]
    totals = torch.zeros(len(hidden), len(facts), dtype=torch.float64)
    for part in x.split(PORTION):
        for place, (layer, (given, h)) in enumerate(zip(hidden, network.signals(exact, part.double()), strict=False)):
            weight = exact[f"{layer.name}.weight"]
            totals[place] += torch.stack([fact(layer, weight, given, h).mean() for fact in facts]) * len(part)
    return [tuple(row) for row in (totals / len(x)).tolist()]


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


def reached(network: Network) -> int:
    """How many hidden layers come before the first that takes more than phi of the layer before it."""
    hidden = network.layers[:-1]
    return next((place for place, layer in enumerate(hidden) if layer.mixes), len(hidden))
