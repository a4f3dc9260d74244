"""How long the signal is in each layer of a finite network: what mean-field theory predicts."""

from typing import NamedTuple

import torch

from rmtlottery import datasets, nets
from rmtlottery.nets.network import Network, Weights
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket


class Probe(NamedTuple):
    """A ticket's network and the test inputs that are sent through it."""

    network: Network
    x: torch.Tensor
    words: str

    @property
    def input_lengths(self) -> torch.Tensor:
        """|x|^2 / fan_in of every input."""
        return self.x.double().square().mean(1)


def probe(ticket: Ticket, samples: int) -> Probe:
    """The first `samples` test inputs, or all there are."""
    if samples < 1:
        raise Refusal(f"samples = {samples} is not at least 1")
    if ticket.spec is None:
        raise Refusal("a ticket without a Spec names no data set to probe it with")
    data = datasets.dataset(ticket.spec.data)
    x = data.test.x[:samples]
    words = f"{len(x)} test inputs of {ticket.spec.data.kind}; {data.preprocessing}"
    return Probe(nets.build(ticket.spec.net, data.inputs, data.classes), x, words)


@torch.no_grad()
def hidden_lengths(network: Network, weights: Weights, x: torch.Tensor) -> list[float]:
    """q^l of every hidden layer: the mean of h^2 over units and inputs, in float64."""
    exact = {name: value.double() for name, value in weights.items()}
    return [h.square().mean().item() for h in network.preactivations(exact, x.double())[:-1]]
