"""All levels of one unit of work: begin, train, leave each seed's ticket on disk, and again."""

import sys
from collections.abc import Callable
from typing import Any

import torch

from rmtlottery.charts.chart import Chart
from rmtlottery.charts.flat import flatten
from rmtlottery.nets.network import Network, Shapes
from rmtlottery.prune.connectivity import left
from rmtlottery.tickets.progress import Progress
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Weights
from rmtlottery.train.beginning import Beginning, Cuts, FromTickets
from rmtlottery.train.behind import Behind
from rmtlottery.train.directions import Directions
from rmtlottery.train.interrupt import between_steps
from rmtlottery.train.level import Level
from rmtlottery.train.loop import train
from rmtlottery.train.material import Material
from rmtlottery.train.reach import few_enough, reach
from rmtlottery.train.saving import Saving
from rmtlottery.train.state import State
from rmtlottery.work.machine import settled
from rmtlottery.work.unit import Unit, check_device, check_sparse, provenance

Facts = dict[str, Any]
COMPUTE = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Levels:
    """All levels of one unit of work."""

    def __init__(self, run: Run, unit: Unit, watch: Callable[[Level, State], None], material: Material) -> None:
        check_device(unit.device)
        check_sparse(unit)
        self.run, self.unit, self.spec = run, unit, run.spec
        self.material = material.on(unit.device)
        self.network = material.network
        self.directions = Directions(run.spec.chart, self.network, unit.device)
        self.origin: Cuts | FromTickets = FromTickets(run) if run.taken else Cuts(run, self.material)
        self.saving = Saving(Progress(run.path, unit.name), unit.to_dict(), unit.device, watch)

    def go(self) -> None:
        with self.saving.progress.locked(), settled(self.unit.threads, self.unit.device), between_steps() as asked:
            for level in self.spec.levels:
                seeds = [seed for seed in self.unit.seeds if self.origin.reached(seed, level)]
                missing = [seed for seed in seeds if not self.intact(seed, level)]
                if missing:
                    self.finish(level, seeds, missing, asked)
                self.saving.progress.clear(level)

    def intact(self, seed: int, level: int) -> bool:
        status = self.run.status(seed, level)
        if status in ("missing", "diverged"):
            return status == "diverged"
        fault = self.run.fault(seed, level)
        if fault:
            print(f"{fault}: rebuilding it", file=sys.stderr)
        return not fault

    def finish(self, level: int, seeds: list[int], missing: list[int], asked: Callable[[], bool]) -> None:
        """Train a level of every seed that reached it and write what is missing of it."""
        origins = {seed: self.origin.begin(seed, level) for seed in seeds}
        self.directions.take(self.run.path, seeds, level)
        self.check_directions(seeds, level)
        job = self.job(level, list(origins.values()), lambda theta: self.directions.chart(theta, seeds))
        with Behind() as behind:
            state = train(job, self.saving.resume(job, seeds), self.saving.ticker(job, asked, behind))
            weights = job.weights(state)
            for seed in missing:
                self.leave(state, weights, seeds.index(seed), origins[seed])
            self.run.write_tables()

    def check_directions(self, seeds: list[int], level: int) -> None:
        if level and not self.run.taken:
            for seed in seeds:
                parent = self.run[seed, level - 1]
                self.directions.check(seed, parent.chart, parent)

    def job(self, level: int, origins: list[Beginning], chart_of: Callable[[torch.Tensor], Chart]) -> Level:
        """The level as the loop takes it: theta_k under its mask, every replicate in one tensor."""
        shapes, device = self.network.shapes, self.unit.device
        theta = torch.stack([flatten(origin.start, shapes) for origin in origins]).to(device)
        kept = torch.stack([flatten(with_biases(origin.mask, shapes), shapes) for origin in origins]).to(device)
        few = not self.directions.few and few_enough(self.unit, self.network, self.spec.schedule.batch, kept)
        first = self.spec.prune.rewind if level else 0
        buffers = {n: torch.stack([origin.start[n] for origin in origins]).to(device) for n in self.network.buffers}
        compute = torch.float32 if few else COMPUTE[self.unit.precision]
        chart = reach(chart_of(theta), kept, few)
        mask = kept if few else None
        return Level(self.spec, level, first, self.network, self.material.data, chart, buffers, compute, mask)

    def leave(self, state: State, weights: Weights, place: int, origin: Beginning, beside: Facts | None = None) -> None:
        """Leave on disk what a replicate of all these weights ended as: a ticket, or where it diverged."""
        facts = self.facts(state, place, origin) | (beside or {})
        if place in state.diverged:
            self.run.write_end(facts | {"step": state.diverged[place]}, "diverged")
            return
        snapshots: dict[int, Weights] = {} if state.level and not self.run.taken else {0: origin.start}
        for name, value in state.group("snapshot/").items():
            step, _, tensor = name.partition("/")
            snapshots.setdefault(int(step), {})[tensor] = value[place].cpu()
        parts = {"weights": {name: value[place].cpu() for name, value in weights.items()}, "mask": origin.mask}
        if self.directions.few:
            parts["coordinates"] = {"theta": state.tensors["coordinates"][place, : self.directions.size].cpu()}
        self.run.write(facts, parts, snapshots)

    def facts(self, state: State, place: int, origin: Beginning) -> dict[str, Any]:
        """The sidecar of a ticket, less what the room of tickets adds."""
        seed, level = state.seeds[place], state.level
        return (
            origin.descent
            | left(origin.mask, chain=isinstance(self.network, Network))
            | {
                "seed": seed,
                "level": level,
                "parameters": list(self.network.shapes),
                "start_step": self.spec.prune.rewind if level and not self.run.taken else 0,
                "masked": {name: list(mask.shape) for name, mask in origin.mask.items()},
                "chart": self.directions.facts(seed),
                "unit": self.unit.to_dict(),
                "provenance": provenance(),
                "metrics": state.rows[place],
            }
        )


def with_biases(mask: Weights, shapes: Shapes) -> Weights:
    """A mask for every parameter: biases are kept."""
    return {name: mask.get(name, torch.ones(shape, dtype=torch.bool)) for name, shape in shapes.items()}
