"""An upper bound on the memory of a training, counted before it begins."""

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from rmtlottery.charts.drawn import projection_of
from rmtlottery.charts.flat import total
from rmtlottery.nets.network import portion
from rmtlottery.tickets.parts import FC, Affine, Principal
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.material import Material
from rmtlottery.train.optimise import memory
from rmtlottery.work.unit import Unit

FLOAT = 4
FOUND = 48  # of a weight at a point of a trajectory: twice as float32, and in float64 with what a QR makes of it
SCRATCH = 2**26  # what libraries and the allocator take besides


def bound(material: Material, unit: Unit, tickets: Sequence[Ticket] = ()) -> int:
    """Bytes that this process holds at most on its device, what it holds already, with the data set, included.

    What a step and a scoring hold is added up, since what one frees is not always there for the other. Not counted is what
    libraries keep for themselves on a GPU.
    """
    seeds = len(unit.seeds)
    kind = torch.device(unit.device).type
    held = resident() + finding(material, tickets) if kind == "cpu" else of_data(material)
    step = material.spec.schedule.batch * seeds * a_sample(material)
    scoring = portion(material.network.widest * seeds, kind) * seeds * 4 * FLOAT * material.network.widest
    orders = 2 * 8 * seeds * len(material.data.train)
    return held + SCRATCH + seeds * weights(material, unit) + step + scoring + orders


def of_data(material: Material) -> int:
    """Inputs and labels of all splits, as they lie on a GPU."""
    return sum(split.x.nbytes + split.y.nbytes for split in material.data.splits.values())


def weights(material: Material, unit: Unit) -> int:
    """Of one seed, all that has a number for every weight.

    theta_0 as read and in the chart, masks as bits and as bytes, coordinates, gradient, slots; the weights as a checkpoint
    copies and packs them; in bf16 weights and gradient once more.
    """
    spec = material.spec
    numbers = sum(value.numel() for value in material.theta(spec.seeds[0]).values())
    slots, snapshots = len(memory(spec.optimiser)), len(spec.record.snapshots) + bool(spec.prune.rewind)
    chart, state = 4.5, 2 + slots
    checkpoint = 2 * (1 + slots + snapshots) + 1
    autograd = 0 if isinstance(spec.net, FC) else 3
    in_bf16 = 1 if unit.precision == "bf16" else 0
    return directions(material) + round(FLOAT * numbers * (chart + state + snapshots + checkpoint + autograd + in_bf16))


def directions(material: Material) -> int:
    """Of the P that a seed's coordinates are mapped by, while it is drawn, or as it is read and as it is held."""
    part = material.spec.chart
    if isinstance(part, Principal):
        return 2 * FLOAT * part.dim * total(material.network.shapes)
    if not isinstance(part, Affine):
        return 0
    return projection_of(part, material.network.shapes, material.spec.seeds[0]).size


def finding(material: Material, tickets: Sequence[Ticket]) -> int:
    """Of the longest trajectory that principal directions are found in: one ticket follows another."""
    if not isinstance(material.spec.chart, Principal):
        return 0
    return FOUND * max((len(ticket.trajectory) for ticket in tickets), default=0) * total(material.network.shapes)


def a_sample(material: Material) -> int:
    """Bytes that a step holds of one sample of one seed: the sample, what is kept for the way back, and two signals."""
    inputs, widest = material.data.train.x.shape[1], material.network.widest
    return FLOAT * (3 * inputs + 2 * widest) + (by_hand(material) if isinstance(material.spec.net, FC) else saved(material))


def by_hand(material: Material) -> int:
    """h and x of every layer of a fully connected chain."""
    return FLOAT * 3 * sum(material.network.shapes[name][0] for name in material.network.prunable)


def saved(material: Material) -> int:
    """What autograd keeps of a sample, as one more sample shows, and as much again for what it makes on the way back."""
    return 2 * (kept_by_autograd(material, 3) - kept_by_autograd(material, 2))


def kept_by_autograd(material: Material, samples: int) -> int:
    """Bytes of all tensors that the way back of one step asks for, each storage once."""
    network, theta = material.network, material.theta(0)
    whole = {name: value.unsqueeze(0) for name, value in theta.items()}
    weights = {name: whole[name].requires_grad_() for name in network.shapes}
    storages: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    x = material.data.train.x[:samples].unsqueeze(0)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = network.learn(weights, {name: whole[name] for name in network.buffers}, x, lambda place: 0)[0]
        kept = logits.sum()
    del kept
    return sum(storages.values())


def resident() -> int:
    """Bytes that this process holds now."""
    return of_linux("VmRSS") or peak("cpu")


def peak(device: str) -> int:
    """Bytes that this process held at most, on its device."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return of_linux("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def of_linux(what: str) -> int:
    """Bytes, as /proc says; there ru_maxrss would begin with what the process held that started this one."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(what)), 0)
