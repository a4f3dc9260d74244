"""How a control's ticket is made: streams, laws, fresh draws, and the record of its descent."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

from rmtlottery import nets
from rmtlottery.nets.init import drawn, initial
from rmtlottery.prune.connectivity import left
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import FC
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.starts import descent
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket, Weights, under

Draw = Callable[[torch.Tensor, np.random.Generator], torch.Tensor]


def made(ticket: Ticket, seed: int, name: str, start: Weights | None = None, mask: Weights | None = None) -> Ticket:
    """The ticket that a control leaves: what it did not change is the parent's."""
    start, mask = start or ticket.start, mask or ticket.mask
    before = descent(ticket)
    controls = [word for word in (before["control"], name) if word]
    record = {key: value for key, value in ticket.record.items() if key != "sha256"} | {
        "parent": before["parent"],
        "control": ",".join(controls),
        "control_seeds": [*before["control_seeds"], seed],
        "metrics": [],
    }
    record |= left(mask, chain=bool(ticket.spec and ticket.spec.net.kind in nets.CHAINS))
    read = {"init": start, "start": start, "weights": under(start, mask), "mask": mask, "snapshots": {}}
    lazy = {part: (lambda value=value: value) for part, value in read.items()}
    way = {"trajectory": lambda: ticket.trajectory, "course": lambda: ticket.course}
    return replace(ticket, record=record, read=lazy | way)


def stream(ticket: Ticket, seed: int, *purpose: object) -> np.random.Generator:
    """Other numbers for every control, seed, ticket and layer, and for every control after another."""
    before = descent(ticket)
    return generator(seed, "control", before["parent"], before["control"], ticket.seed, ticket.level, *purpose)


def redrawn(ticket: Ticket, seed: int, name: str, draw: Draw) -> Weights:
    """The start with the kept weights of each layer drawn anew from what they were."""
    start = dict(ticket.start)
    for layer, mask in ticket.mask.items():
        value = start[layer].clone()
        value[mask] = draw(value[mask], stream(ticket, seed, name, layer)).to(value)
        start[layer] = value
    return start


def shuffled(values: torch.Tensor, numbers: np.random.Generator) -> torch.Tensor:
    order = torch.from_numpy(numbers.permutation(values.numel()))
    return values.reshape(-1)[order].reshape(values.shape)


def from_law(kept: torch.Tensor, numbers: np.random.Generator, size: int | None = None) -> torch.Tensor:
    """Drawn by the inverse of the empirical distribution function, which is linear between neighbours."""
    size = len(kept) if size is None else size
    if size and not len(kept):
        raise Refusal("a layer without a kept weight has no law to draw from")
    return torch.from_numpy(np.quantile(kept.double().numpy(), numbers.random(size))) if size else kept[:0]


def fresh(ticket: Ticket, seed: int) -> Weights:
    """Another theta_0, the same at every level; buffers, scales and shifts are as they were in the ticket's own."""
    spec = spec_of(ticket)
    shapes = {name: tuple(ticket.start[name].shape) for name in ticket.record.get("parameters", ticket.start)}
    return ticket.init | initial(spec.init, drawn(shapes, ticket.mask), other_seed(ticket, seed))


def other_seed(ticket: Ticket, seed: int) -> int:
    """A seed of inits that no run has, the same at every level, another one after other controls."""
    lineage = (descent(ticket)["control"], spec_of(ticket).origin.to_dict())
    return int(generator(seed, "fresh init", ticket.seed, *lineage).integers(2**62))


def spec_of(ticket: Ticket) -> Spec:
    if ticket.spec is None:
        raise Refusal(f"{ticket} has no Spec, so no init to draw from")
    return ticket.spec


def narrower(ticket: Ticket) -> tuple[Spec, dict[str, tuple[int, ...]]]:
    """The Spec and shapes of a fully connected net, its hidden widths scaled to as many weights as are kept."""
    spec = spec_of(ticket)
    if not isinstance(spec.net, FC):
        raise Refusal(f"a narrower net is made of fully connected ones only, and this one is of kind {spec.net.kind}")
    masks = list(ticket.mask.values())
    ends, wanted = (masks[0].shape[1], len(masks[-1])), sum(int(mask.sum()) for mask in masks)
    sizes = {}
    for thousandth in range(1, 1001):
        widths = tuple(max(1, round(width * thousandth / 1000)) for width in spec.net.widths)
        units = (ends[0], *widths, ends[1])
        sizes[widths] = sum(a * b for a, b in pairwise(units))
    widths = min(sizes, key=lambda tried: abs(sizes[tried] - wanted))
    narrow = spec.but(net=replace(spec.net, widths=widths))
    return narrow, nets.chain(narrow.net, (ends[0],), ends[1]).shapes
