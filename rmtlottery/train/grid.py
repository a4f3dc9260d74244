"""Runs of one Spec in subspaces of several sizes, trained together: replicates are (d, seed)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from rmtlottery.charts.flat import flatten
from rmtlottery.refusal import Refusal
from rmtlottery.tickets import parts
from rmtlottery.tickets.presets import label
from rmtlottery.tickets.progress import Progress
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.bar import Bar
from rmtlottery.train.beginning import Beginning
from rmtlottery.train.behind import Behind
from rmtlottery.train.directions import ambient, several
from rmtlottery.train.fit import default_root, divided, planned
from rmtlottery.train.interrupt import between_steps
from rmtlottery.train.level import Level
from rmtlottery.train.levels import COMPUTE, Levels
from rmtlottery.train.loop import train
from rmtlottery.train.material import check_precision
from rmtlottery.train.plan import steps_a_level
from rmtlottery.train.saving import Saving
from rmtlottery.train.state import State
from rmtlottery.work.machine import settled

NUMBERS = {"cpu": 2**18, "cuda": 2**28}  # weights of all replicates that are trained together
MOST = 128
Place = tuple[int, int]


def grid(
    spec: Spec, dims: Iterable[int], root: str | Path | None = None, *, net: Any = None, data: Any = None, **unit: Any
) -> list[Run]:
    """A run for each size of the Spec's chart, in root/NAME-dim=d, with all of the Spec's seeds; what is there stays.

    Small nets are trained many at a time, as one program, each as it would be alone but for rounding.
    """
    plans = {dim: planned(sized(spec, dim), None, net, data) for dim in sorted(set(dims))}
    if not plans:
        raise Refusal("no size is named: give dims, e.g. [100, 200, 400]")
    runs = {dim: Run.open(root or default_root(), plan.spec) for dim, plan in plans.items()}
    plan = plans[max(plans)]
    check_precision(plan.network, unit.get("precision"))
    engines = {dim: Levels(run, divided(run, **unit)[0], lambda *what: None, plans[dim]) for dim, run in runs.items()}
    missing = [(dim, seed) for seed in plan.spec.seeds for dim in runs if not engines[dim].intact(seed, 0)]
    parties = list(portions(missing, ambient(plan.network), next(iter(engines.values())).unit.device))
    with Bar(label(spec), steps_a_level(plan.spec, plan.data), len(parties)) as bar:
        for party in parties:
            Party(party, engines, bar.step).go()
            bar.unit_done()
    for run in runs.values():
        run.write_tables()
    return list(runs.values())


def sized(spec: Spec, dim: int) -> Spec:
    """The Spec with so many coordinates, and a name that says so."""
    if not isinstance(spec.chart, parts.Affine):
        raise Refusal(f"chart = {spec.chart.kind} has no size to choose: take chart affine")
    if spec.prune.levels:
        raise Refusal(f"levels = {spec.prune.levels}: subspaces of several sizes are trained whole, with levels 0")
    return spec.but(dim=dim, name=f"{label(spec.but(dim=parts.Affine.dim))}-dim={dim}")


def portions(places: list[Place], weights: int, device: str) -> Iterable[list[Place]]:
    """As many at a time as pay."""
    size = max(1, min(MOST, NUMBERS[device.partition(":")[0]] // weights))
    return (places[at : at + size] for at in range(0, len(places), size))


@dataclass(frozen=True)
class Party:
    """Replicates that are trained together, each for the run of its size."""

    places: list[Place]
    engines: dict[int, Levels]
    watch: Callable[[Level, State], None]

    def go(self) -> None:
        engine, seeds = self.engines[self.places[0][0]], [seed for _, seed in self.places]
        unit, origins = engine.unit, {seed: engine.origin.begin(seed, 0) for seed in dict.fromkeys(seeds)}
        job, beside = self.job(engine, [origins[seed] for seed in seeds]), [f"{dim}/{seed}" for dim, seed in self.places]
        progress = Progress(engine.run.path, f"party-{sha256(' '.join(beside).encode()).hexdigest()[:8]}")
        saving = Saving(progress, unit.to_dict() | {"beside": beside}, unit.device, self.watch)
        with progress.locked(), settled(unit.threads, unit.device), between_steps() as asked, Behind() as behind:
            state = train(job, saving.resume(job, seeds), saving.ticker(job, asked, behind))
            for place, (dim, seed) in enumerate(self.places):
                self.engines[dim].leave(job, state, place, origins[seed], {"beside": beside})
            progress.clear(0)

    def job(self, engine: Levels, origins: list[Beginning]) -> Level:
        """Level 0 with a replicate for each place."""
        network, device = engine.network, engine.unit.device
        theta = torch.stack([flatten(origin.start, network.shapes) for origin in origins]).to(device)
        buffers = {name: torch.stack([origin.start[name] for origin in origins]).to(device) for name in network.buffers}
        chart = several(theta, [(self.engines[dim].directions, seed) for dim, seed in self.places])
        return Level(engine.spec, 0, 0, network, engine.material.data, chart, buffers, COMPUTE[engine.unit.precision])
