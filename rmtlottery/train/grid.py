"""Runs of one Spec in subspaces of several sizes, trained together: replicates are (d, seed)."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from rmtlottery.charts.chart import Chart
from rmtlottery.charts.flat import total
from rmtlottery.refusal import Refusal
from rmtlottery.tickets import parts
from rmtlottery.tickets.presets import label
from rmtlottery.tickets.progress import Progress
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Weights
from rmtlottery.train.bar import Bar
from rmtlottery.train.beginning import Beginning
from rmtlottery.train.behind import Behind
from rmtlottery.train.directions import ONE_SIZE, several
from rmtlottery.train.fit import check_options, default_root, divided, planned
from rmtlottery.train.interrupt import between_steps
from rmtlottery.train.level import Level
from rmtlottery.train.levels import Levels
from rmtlottery.train.loop import train
from rmtlottery.train.material import Material, check_precision
from rmtlottery.train.plan import steps_a_level
from rmtlottery.train.saving import Saving
from rmtlottery.train.state import State
from rmtlottery.work.machine import settled

NUMBERS = {"cpu": 2**18, "cuda": 2**26}  # weights of all replicates that are trained together
MOST = 128
WRITERS = 4
Place = tuple[int, int]
Engines = dict[Place, Levels]


def grid(
    spec: Spec, dims: Iterable[int], root: str | Path | None = None, *, net: Any = None, data: Any = None, **unit: Any
) -> list[Run]:
    """A run for each size of the Spec's chart with all of the Spec's seeds, as `fit` would name it; what is there stays.

    Small nets are trained many at a time, as one program, each as it would be alone but for rounding. `unit`: device,
    threads, precision.
    """
    if not isinstance(dims, Iterable) or not (wanted := sorted({int(dim) for dim in dims})):
        raise Refusal(f"no size is named by dims = {dims!r}: give some, e.g. [100, 200, 400]")
    check_options(unit, "grid")
    plans = {dim: planned(sized(spec, dim), None, net, data) for dim in wanted}
    plan = plans[wanted[-1]]
    check_precision(plan.network, unit.get("precision"))
    runs = {dim: Run.open(root or default_root(), each.spec) for dim, each in plans.items()}
    engines = {(dim, seed): engine for dim, run in runs.items() for seed, engine in by_seed(run, plan, unit)}
    missing = [(dim, seed) for seed in plan.spec.seeds for dim in runs if not engines[dim, seed].intact(seed, 0)]
    parties = list(portions(missing, engines, total(plan.network.shapes)))
    with Bar(label(spec), steps_a_level(plan.spec, plan.data), len(parties)) as bar:
        for party in parties:
            Party(party, engines, bar.step).go()
            bar.unit_done()
    for run in runs.values():
        run.write_tables()
    return list(runs.values())


def sized(spec: Spec, dim: int) -> Spec:
    """The Spec with so many coordinates, and of a name that says so if it has one."""
    if isinstance(spec.chart, parts.Principal):
        raise Refusal(ONE_SIZE)
    if not isinstance(spec.chart, parts.Affine):
        raise Refusal(f"chart = {spec.chart.kind} has no size to choose: take chart affine")
    if spec.prune.levels:
        raise Refusal(f"levels = {spec.prune.levels}: subspaces of several sizes are trained whole, with levels 0")
    return spec.but(dim=dim, name=f"{spec.name}-dim={dim}" if spec.name else "")


def by_seed(run: Run, plan: Material, unit: dict[str, Any]) -> Iterator[tuple[int, Levels]]:
    """What trains each seed of a run: that of the unit which took it up."""
    for held in divided(run, **unit):
        material = Material(run.spec, plan.network, plan.data)
        engine = Levels(run, held, lambda *what: None, material)
        yield from ((seed, engine) for seed in held.seeds)


def portions(places: list[Place], engines: Engines, weights: int) -> Iterator[list[Place]]:
    """As many at a time as pay, of those whose units are alike."""

    def alike(place: Place) -> str:
        return str(replace(engines[place].unit, seeds=()))

    for _, same in groupby(sorted(places, key=alike), key=alike):
        held = list(same)
        kind = torch.device(engines[held[0]].unit.device).type
        size = max(1, min(MOST, NUMBERS[kind] // weights))
        yield from (held[at : at + size] for at in range(0, len(held), size))


@dataclass(frozen=True)
class Party:
    """Replicates that are trained together, each for the run of its size."""

    places: list[Place]
    engines: Engines
    watch: Callable[[Level, Any], None]

    def go(self) -> None:
        """Train what is still missing once nobody else can be at it."""
        with ExitStack() as locks:
            for engine in dict.fromkeys(self.engines[place] for place in self.places):
                locks.enter_context(engine.saving.progress.locked())
            if missing := [(dim, seed) for dim, seed in self.places if not self.engines[dim, seed].intact(seed, 0)]:
                self.train(missing)

    def train(self, places: list[Place]) -> None:
        first, seeds = self.engines[places[0]], [seed for _, seed in places]
        unit, origins = first.unit, {seed: first.origin.begin(seed, 0) for seed in dict.fromkeys(seeds)}
        job = first.job(0, [origins[seed] for seed in seeds], partial(self.chart, places))
        beside = [f"{dim}/{seed}" for dim, seed in places]
        progress = Progress(first.run.path, f"party-{sha256(' '.join(beside).encode()).hexdigest()[:8]}")
        progress.clear_others("party-")
        saving = Saving(progress, unit.to_dict() | {"beside": beside}, unit.device, self.watch)
        with settled(unit.threads, unit.device), between_steps() as asked, Behind() as behind:
            state = train(job, saving.resume(job, seeds), saving.ticker(job, asked, behind))
            self.leave(places, state, job.weights(state), [origins[seed] for seed in seeds])
            progress.clear(0)

    def leave(self, places: list[Place], state: State, weights: Weights, origins: list[Beginning]) -> None:
        """A ticket of each, several at a time: most of it is waiting for the disk."""
        beside = {"beside": [f"{dim}/{seed}" for dim, seed in places]}

        def one(number: int) -> None:
            engine = self.engines[places[number]]
            engine.leave(state, weights, number, origins[number], beside)
            engine.directions.drawn.pop(places[number][1], None)

        with ThreadPoolExecutor(WRITERS) as hands:
            list(hands.map(one, range(len(places))))

    def chart(self, places: list[Place], theta: torch.Tensor) -> Chart:
        return several(theta, [(self.engines[place].directions, place[1]) for place in places])
