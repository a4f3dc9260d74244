"""What a run would cost: steps by plan, time by trying some, memory and disk by counting bytes."""

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from rmtlottery.prune.rates import kept_at
from rmtlottery.tickets.parts import Principal, Taken
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.material import Material
from rmtlottery.train.memory import bound, peak
from rmtlottery.train.optimise import memory
from rmtlottery.train.plan import steps_a_level
from rmtlottery.train.reach import densest_sparse
from rmtlottery.train.trial import DENSE, Trial, trial
from rmtlottery.work.machine import settled
from rmtlottery.work.unit import Unit


def estimate(material: Material, unit: Unit, root: Path, tickets: Sequence[Ticket] = ()) -> str:
    """Four lines: the plan, the time that trials point to, memory, disk; of a training that starts from tickets, if any."""
    spec, levels, steps = material.spec, material.spec.levels, steps_a_level(material.spec, material.data)
    seeds, epochs, most = len(spec.seeds), spec.schedule.epochs, bound(material, unit, tickets)
    densities = densities_of(material)
    with settled(unit.threads, unit.device):
        tried = list(trials(material.on(unit.device), unit, densities))
    costs = [at(tried, density) for density in densities]
    hours = sum(steps * a_step + epochs * an_epoch for a_step, an_epoch in costs) / 3600
    free = shutil.disk_usage(next(path for path in (root, *root.absolute().parents) if path.exists())).free
    return (
        f"plan: {seeds} seeds x {len(levels)} levels x {epochs} epochs, {len(levels) * steps:,} steps of {seeds} x "
        f"{spec.schedule.batch} samples\n"
        f"time: about {spoken(hours)} with all seeds side by side on this {unit.device} ({unit.threads} threads, "
        f"{unit.precision}): {'; '.join(map(words, tried))}\n"
        f"memory: at most {most / 1e9:.2g} GB by count, {peak(unit.device) / 1e9:.2g} GB at the peak of the trial\n"
        f"disk: {size(spec, material, levels) / 1e9:.2g} GB in {root}, where {free / 1e9:.3g} GB are free"
    )


def densities_of(material: Material) -> list[float]:
    """Of every level, biases included; of given tickets, as if they were dense."""
    spec, shapes = material.spec, material.network.shapes
    if isinstance(spec.origin, Taken):
        return [1.0] * len(spec.levels)
    sizes = {name: math.prod(shapes[name]) for name in material.network.prunable}
    numbers = sum(map(math.prod, shapes.values()))
    rest = numbers - sum(sizes.values())
    return [(kept + rest) / numbers for kept in kept_at(spec.prune, sizes)]


def trials(material: Material, unit: Unit, densities: list[float]) -> Iterator[Trial]:
    """One of whole weights, and where levels multiply survivors alone one at either end of those."""
    yield trial(material, unit, DENSE)
    limit = densest_sparse(unit, material.network, material.spec.schedule.batch)
    few = [density for density in densities if density <= limit]
    for density in dict.fromkeys((few[0], few[-1]) if few else ()):
        yield trial(material, unit, density)


def at(tried: list[Trial], density: float) -> tuple[float, float]:
    """Seconds of a step and of scoring at a density: as whole weights take, or between the trials of survivors."""
    whole, *few = tried
    if not few or density > few[0].density:
        return whole.step, whole.scoring
    first, last = few[0], few[-1]
    share = (first.density - density) / (first.density - last.density) if first is not last else 0.0
    return first.step + share * (last.step - first.step), first.scoring + share * (last.scoring - first.scoring)


def words(tried: Trial) -> str:
    what = f"{tried.density:.2g} of the weights alone" if tried.few else "a step of whole weights"
    return f"{what} {1e3 * tried.step:.3g} ms, scoring {tried.scoring:.2g} s an epoch"


def size(spec: Spec, material: Material, levels: tuple[int, ...]) -> float:
    """Bytes of all tickets, of their snapshots, and of one checkpoint."""
    numbers = sum(math.prod(shape) for shape in material.network.shapes.values())
    ticket = 4 * numbers * (1 + len(spec.record.snapshots)) + numbers / 8
    given = 2 + (spec.chart.dim if isinstance(spec.chart, Principal) else 0)  # with the run's copy, and what is beside it
    starts = 4 * numbers * (given * len(levels) if isinstance(spec.origin, Taken) else 2 if spec.prune.rewind else 1)
    checkpoint = 4 * numbers * (1 + len(memory(spec.optimiser)))
    return len(spec.seeds) * (len(levels) * ticket + starts + checkpoint)


def spoken(hours: float) -> str:
    seconds = 3600 * hours
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 2 else f"{hours:.1f} h"
