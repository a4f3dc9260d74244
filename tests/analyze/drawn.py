"""Tickets that nobody trained: a small net's theta_0 under a mask by lot, so that an analysis can be worked out again."""

import torch

from rmtlottery import datasets, nets
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Normal, Teacher
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Ticket

TEACHER = Teacher(inputs=9, classes=4, samples=200)


def drawn(net, init=None, *, density=1.0, data=TEACHER, seed=0, change=None):
    """At level 0, rewound alone; `change` may alter weights and mask first."""
    init = init or Normal()
    spec, known = Spec(net=net, init=init, data=data), datasets.dataset(data)
    network = nets.build(net, known.shape, known.classes)
    law = init if init.kind != "own" else Normal()
    weights, lot = initial(law, network.shapes, seed), torch.Generator().manual_seed(seed)
    mask = {name: torch.rand(weights[name].shape, generator=lot) < density for name in network.prunable}
    if change:
        change(weights, mask)
    kept, total = (sum(int(one.sum()) for one in mask.values()), sum(one.numel() for one in mask.values()))
    record = {"density": kept / total, "metrics": [], "connectivity": [], "chart": {}}
    return Ticket(spec, seed, 0, None, record, {"start": lambda: weights, "mask": lambda: mask})


def fc(*widths, phi="tanh"):
    return FC(widths=widths, phi=phi)


def held(ticket):
    """The masked weights and the biases as numpy, float64, by layer from 1."""
    layers = range(1, len(ticket.mask) + 1)
    w = {n: ticket.rewound[f"fc{n}.weight"].double().numpy() for n in layers}
    return w, {n: ticket.rewound[f"fc{n}.bias"].double().numpy() for n in layers}
