"""The share of samples that a ticket's network tells right, over whole splits."""

import torch

from rmtlottery import datasets, nets
from rmtlottery.datasets.dataset import Split
from rmtlottery.nets.network import portion
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, Weights


def accuracies(ticket: Ticket) -> dict[str, float]:
    """split -> accuracy of the ticket's `weights`, which in an untrained ticket are its start under its mask."""
    if ticket.spec is None:
        raise Refusal("a ticket without a Spec names no data set to be right about")
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    return {name: accuracy(network, ticket.weights, split) for name, split in data.splits.items()}


@torch.no_grad()
def accuracy(network: nets.AnyNetwork, weights: Weights, split: Split) -> float:
    """In fp32 and as a quotient of fp32, as training records it."""
    hits, batch = torch.zeros(()), portion(network.widest)
    for x, y in zip(split.x.split(batch), split.y.split(batch), strict=True):
        hits += (network.logits(weights, x).argmax(1) == y).sum()
    return (hits / len(split)).item()
