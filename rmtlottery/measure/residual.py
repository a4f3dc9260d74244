"""How long the signal is along the skips of a residual net."""

from typing import NamedTuple

import torch
from torch import nn

from rmtlottery import datasets, nets
from rmtlottery.nets import Modular
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, Weights


class Stream(NamedTuple):
    """A ticket's net, the test inputs that are sent through it as one batch, and words for both."""

    network: Modular
    x: torch.Tensor
    inputs: str
    statistics: str


def stream(ticket: Ticket, samples: int) -> Stream:
    """The first `samples` test inputs, or all there are."""
    if samples < 2:
        raise Refusal(f"samples = {samples} is not at least 2: a normalisation has no statistics of fewer")
    if ticket.spec is None:
        raise Refusal("a ticket without a Spec names no data set to send through it")
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    if not isinstance(network, Modular) or not isinstance(getattr(network.module, "blocks", None), nn.Sequential):
        raise Refusal(f"a {ticket.spec.net.kind} has no blocks with skips over them; take resnet or skip")
    x = data.test.x[:samples]
    normalised = any(isinstance(part, nn.BatchNorm2d) for part in network.module.modules())
    statistics = f"of the {len(x)} inputs, one batch" if normalised else "none"
    return Stream(network, x, f"{len(x)} test inputs of {ticket.spec.data.kind}; {data.preprocessing}", statistics)


@torch.no_grad()
def stream_lengths(network: Modular, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """Before the first block and behind each, the mean square over units and pixels, in float64: (inputs, blocks + 1).

    A normalisation takes the batch's statistics, as in training: a rewound net's running ones are those of no data.
    """
    tensors = (network.buffers | weights).items()
    exact = {name: value.double() if value.is_floating_point() else value.clone() for name, value in tensors}
    found: list[torch.Tensor] = []

    def note(block: nn.Module, given: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        for h in (output,) if found else (given[0], output):
            found.append(h.square().flatten(1).mean(1))

    hooks = [block.register_forward_hook(note) for block in network.module.get_submodule("blocks").children()]
    network.module.train()
    network.call(exact, {}, x.double())
    for hook in hooks:
        hook.remove()
    return torch.stack(found, dim=1)
