"""How tests make and compare the tickets of controls."""

import numpy as np
import torch

from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.ticket import Ticket


def handmade(spec, start, mask):
    under = {name: torch.where(mask[name], value, 0.0) if name in mask else value for name, value in start.items()}
    record = {
        "sha256": {"weights": "f" * 64},
        "metrics": [],
        "density": 0.3,
        "connectivity": [],
        "chart": {},
        "start_step": 0,
    }
    read = {"init": start, "start": start, "weights": under, "mask": mask, "snapshots": {0: start}}
    return Ticket(spec, 3, 2, None, record, {part: lambda value=value: value for part, value in read.items()})


def same(ours, theirs):
    return len(ours) == len(theirs) and all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def marks(ticket):
    parts = {"start": ticket.start, "weights": ticket.weights, "mask": ticket.mask}
    return {part: fingerprint(held) for part, held in parts.items()} | {"record": dict(ticket.record)}


def kept(ticket):
    """The kept weights of each layer, in order."""
    return [ticket.rewound[name][mask].double().numpy() for name, mask in ticket.mask.items()]


def standardised(ticket, spread):
    """All kept weights, those of each layer over what `spread` makes of the wide parent's."""
    return np.concatenate([values / scale for values, scale in zip(kept(ticket), spread, strict=True)])
