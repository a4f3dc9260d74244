"""What a run would cost: steps by plan, time and memory by trying some, disk by counting bytes."""

import math
import resource
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path

import torch

from rmtlottery.charts.chart import full, masked
from rmtlottery.charts.flat import flatten
from rmtlottery.datasets.dataset import Split
from rmtlottery.nets.network import portion
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.level import Level, begin
from rmtlottery.train.levels import COMPUTE
from rmtlottery.train.loop import train
from rmtlottery.train.material import Material
from rmtlottery.train.optimise import memory
from rmtlottery.train.plan import steps_a_level
from rmtlottery.train.scores import evaluate
from rmtlottery.train.state import State
from rmtlottery.work.machine import settled
from rmtlottery.work.unit import Unit

ENOUGH = 2.0  # seconds of trying
WARM = 3  # steps before the clock starts


class Enough(Exception):
    """Ends the trial."""


def estimate(material: Material, unit: Unit, root: Path) -> str:
    """Three lines: the plan, the time and memory that a trial points to, the disk."""
    spec, levels, steps = material.spec, material.spec.levels, steps_a_level(material.spec, material.data)
    seeds, epochs = len(spec.seeds), spec.schedule.epochs
    with settled(unit.threads):
        a_step, an_epoch = trial(material.on(unit.device), unit)
    hours = len(levels) * (steps * a_step + epochs * an_epoch) / 3600
    free = shutil.disk_usage(next(path for path in (root, *root.absolute().parents) if path.exists())).free
    where = f"{unit.device} ({unit.threads} threads, {unit.precision})"
    return (
        f"plan: {seeds} seeds x {len(levels)} levels x {epochs} epochs, {len(levels) * steps:,} steps of {seeds} x "
        f"{spec.schedule.batch} samples\n"
        f"time: about {spoken(hours)} with all seeds side by side on this {where}, from {1e3 * a_step:.3g} ms a step and "
        f"{an_epoch:.3g} s of scoring an epoch; memory: {peak(unit.device) / 1e9:.2g} GB at the peak of the trial\n"
        f"disk: {size(spec, material, levels) / 1e9:.2g} GB in {root}, where {free / 1e9:.3g} GB are free"
    )


def trial(material: Material, unit: Unit) -> tuple[float, float]:
    """Seconds of a step of all seeds, the median of those that fit into the trial, and of scoring the held-out splits."""
    job = level_of(material, unit)
    state = begin(job, list(material.spec.seeds))
    ticks = [time.perf_counter()]

    def tick(held: object) -> None:
        if unit.device != "cpu":
            torch.cuda.synchronize()
        ticks.append(time.perf_counter())
        if ticks[-1] - ticks[0] > ENOUGH and len(ticks) > 2 * WARM:
            raise Enough

    with suppress(Enough):
        train(job, state, tick)
    lengths = sorted(b - a for a, b in zip(ticks[WARM:-1], ticks[WARM + 1 :], strict=True)) or [ticks[-1] - ticks[0]]
    return lengths[len(lengths) // 2], scoring(job, state)


def scoring(job: Level, state: State) -> float:
    """Seconds that the held-out splits take, from those of one portion."""
    held_out = [split for name, split in job.data.splits.items() if name != "train"]
    first = held_out[-1]
    size = min(len(first), portion(job.network.widest * len(state.seeds), first.x.device.type))
    begun = time.perf_counter()
    evaluate(job.network, job.weights(state), Split(first.x[:size], first.y[:size]))
    return (time.perf_counter() - begun) * sum(len(split) for split in held_out) / size


def level_of(material: Material, unit: Unit) -> Level:
    """Level 0 as it would be trained, with a mask that is as dear as that of the others."""
    network = material.network
    thetas = [material.theta(seed) for seed in material.spec.seeds]
    flat = torch.stack([flatten(theta, network.shapes) for theta in thetas]).to(unit.device)
    chart = masked(full(flat), torch.ones_like(flat, dtype=torch.bool))
    buffers = {name: torch.stack([theta[name] for theta in thetas]).to(unit.device) for name in network.buffers}
    return Level(material.spec, 0, 0, network, material.data, chart, buffers, COMPUTE[unit.precision])


def peak(device: str) -> float:
    """Bytes that this process held at most."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def size(spec: Spec, material: Material, levels: tuple[int, ...]) -> float:
    """Bytes of all tickets, of their snapshots, and of one checkpoint."""
    numbers = sum(math.prod(shape) for shape in material.network.shapes.values())
    ticket = 4 * numbers * (1 + len(spec.record.snapshots)) + numbers / 8
    starts = 4 * numbers * (len(levels) if spec.origin.kind == "taken" else 2 if spec.prune.rewind else 1)
    checkpoint = 4 * numbers * (1 + len(memory(spec.optimiser)))
    return len(spec.seeds) * (len(levels) * ticket + starts + checkpoint)


def spoken(hours: float) -> str:
    seconds = 3600 * hours
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 2 else f"{hours:.1f} h"
