"""How long steps and scoring take here: some are tried, and the rest is told from them."""

import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import torch

from rmtlottery.charts.flat import flatten, unflatten
from rmtlottery.nets.network import portion
from rmtlottery.train.directions import Directions, likeness
from rmtlottery.train.level import Level, begin
from rmtlottery.train.levels import COMPUTE
from rmtlottery.train.loop import train
from rmtlottery.train.material import Material
from rmtlottery.train.reach import few_enough, reach
from rmtlottery.train.slope import slope
from rmtlottery.train.state import State
from rmtlottery.work.unit import Unit

ENOUGH = 1.5  # seconds of trying
WARM = 3  # steps before the clock starts
DENSE = 0.999  # all but a few weights, so that a mask is laid over them as over those of later levels


class Enough(Exception):
    """Ends a trial."""


@dataclass(frozen=True)
class Trial:
    """Seconds of a step of all seeds and of scoring the held-out splits, at a density of all parameters."""

    density: float
    few: bool
    step: float
    scoring: float


def trial(material: Material, unit: Unit, density: float) -> Trial:
    """The median of the steps that fit into the trial."""
    job = level_of(material, unit, density)
    state = begin(job, list(material.spec.seeds))
    ticks = [(now(unit), 0)]

    def tick(held: State) -> None:
        ticks.append((now(unit), held.step))
        if ticks[-1][0] - ticks[0][0] > ENOUGH and len(ticks) > 2 * WARM:
            raise Enough

    with suppress(Enough):
        train(job, state, tick)
    return Trial(density, job.survivors is not None, a_step(ticks), scoring(job, unit))


def now(unit: Unit) -> float:
    """The time at which the device has done what it was asked for."""
    if unit.device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def a_step(ticks: list[tuple[float, int]]) -> float:
    """The median over ticks, of which each may be several steps, after the first few."""
    warm = ticks[WARM:] if len(ticks) > WARM + 1 else ticks
    return statistics.median((later - before) / (end - begin) for (before, begin), (later, end) in pairwise(warm))


def scoring(job: Level, unit: Unit) -> float:
    """Seconds that the held-out splits take, from those of one portion."""
    held_out = [split for name, split in job.data.splits.items() if name != "train"]
    first = held_out[-1]
    size = min(len(first), portion(job.network.widest * len(unit.seeds), first.x.device.type))
    logits = slope(job, begin(job, list(job.spec.seeds))).logits
    with torch.no_grad():
        logits(first.x[:size].unsqueeze(0))
        begun = now(unit)
        logits(first.x[:size].unsqueeze(0))
    return (now(unit) - begun) * sum(len(split) for split in held_out) / size


def level_of(material: Material, unit: Unit, density: float) -> Level:
    """Level 0 of theta_0, under masks that keep every bias and so many weights, whichever."""
    network, spec = material.network, material.spec
    thetas = [material.theta(seed) for seed in spec.seeds]
    flat = torch.stack([flatten(theta, network.shapes) for theta in thetas]).to(unit.device)
    kept = thinned(flat, network.shapes, density)
    directions = Directions(spec.chart, network, unit.device, likeness(spec.chart, network, spec.seeds, unit.device))
    few = not directions.few and few_enough(unit, network, spec.schedule.batch, kept)
    chart = reach(directions.chart(flat, spec.seeds), kept, few)
    buffers = {name: torch.stack([theta[name] for theta in thetas]).to(unit.device) for name in network.buffers}
    compute, mask = (torch.float32, kept) if few else (COMPUTE[unit.precision], None)
    return Level(spec, 0, 0, network, material.data, chart, buffers, compute, mask)


def thinned(flat: torch.Tensor, shapes: dict[str, tuple[int, ...]], density: float) -> torch.Tensor:
    """The same ones of every seed, to the number: biases first, then weights as they are drawn."""
    lots = torch.rand(flat.shape[1], generator=torch.Generator().manual_seed(0))
    for name, piece in unflatten(lots, shapes).items():
        if len(shapes[name]) == 1:
            piece.fill_(-1)
    kept = torch.zeros(len(lots), dtype=torch.bool)
    kept[lots.argsort()[: round(density * len(lots))]] = True
    return kept.to(flat.device).expand_as(flat)
