"""All levels of one unit of work: begin, train, leave each seed's ticket on disk, and again."""

import sys
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import torch

from rmtlottery.charts.flat import flatten
from rmtlottery.nets.network import Network, Shapes
from rmtlottery.prune.connectivity import left
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.progress import Progress
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Weights
from rmtlottery.train.beginning import Beginning, Cuts, FromTickets
from rmtlottery.train.behind import Behind
from rmtlottery.train.interrupt import between_steps
from rmtlottery.train.level import Level, begin
from rmtlottery.train.loop import train
from rmtlottery.train.material import Material
from rmtlottery.train.reach import few_enough, reach
from rmtlottery.train.state import State
from rmtlottery.work.machine import settled
from rmtlottery.work.unit import Unit, check_device, check_sparse, provenance

SAVE_EVERY = 20.0
COMPUTE = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Levels:
    """All levels of one unit of work."""

    def __init__(self, run: Run, unit: Unit, watch: Callable[[Level, State], None], material: Material) -> None:
        check_device(unit.device)
        check_sparse(unit)
        self.run, self.unit, self.watch, self.spec = run, unit, watch, run.spec
        self.material = material.on(unit.device)
        self.network = material.network
        self.origin: Cuts | FromTickets = FromTickets(run) if run.taken else Cuts(run, self.material)
        self.progress = Progress(run.path, unit.name)

    def go(self) -> None:
        with self.progress.locked(), settled(self.unit.threads, self.unit.device), between_steps() as asked:
            for level in self.spec.levels:
                seeds = [seed for seed in self.unit.seeds if self.origin.reached(seed, level)]
                missing = [seed for seed in seeds if not self.intact(seed, level)]
                if missing:
                    self.finish(level, seeds, missing, asked)
                self.progress.clear(level)

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
        job = self.job(level, list(origins.values()))
        with Behind() as behind:
            state = train(job, self.resume(job, seeds), self.ticker(job, asked, behind))
            for seed in missing:
                if seed in state.diverged:
                    ended = {"step": state.diverged[seed]}
                    self.run.write_end(self.facts(state, seed, level, origins[seed]) | ended, "diverged")
                else:
                    self.write(job, state, seed, origins[seed])
            self.run.write_tables()

    def job(self, level: int, origins: list[Beginning]) -> Level:
        """The level as the loop takes it: theta_k under its mask, every seed in one tensor."""
        shapes, device = self.network.shapes, self.unit.device
        theta = torch.stack([flatten(origin.start, shapes) for origin in origins]).to(device)
        kept = torch.stack([flatten(with_biases(origin.mask, shapes), shapes) for origin in origins]).to(device)
        few = few_enough(self.unit, self.network, self.spec.schedule.batch, kept)
        first = self.spec.prune.rewind if level else 0
        buffers = {n: torch.stack([origin.start[n] for origin in origins]).to(device) for n in self.network.buffers}
        compute = torch.float32 if few else COMPUTE[self.unit.precision]
        chart, mask = reach(theta, kept, few), kept if few else None
        return Level(self.spec, level, first, self.network, self.material.data, chart, buffers, compute, mask)

    def resume(self, job: Level, seeds: list[int]) -> State:
        """From the checkpoint, if it began with these seeds, in this unit, where this level begins; else anew."""
        saved = self.progress.load(job.number)
        if saved and saved[0]["seeds"] == seeds and saved[0]["origin"] == self.origin_of(job):
            return State.restore(*saved, self.unit.device)
        return begin(job, seeds)

    def origin_of(self, job: Level) -> dict[str, Any]:
        """What tells a checkpoint that began elsewhere: another unit, another parent, another mask."""
        begins = {"start": job.chart.start, "reach": job.chart.weights(torch.ones_like(job.chart.start))} | job.buffers
        return {"unit": self.unit.to_dict(), "sha256": fingerprint(begins)}

    def ticker(self, job: Level, asked: Callable[[], bool], behind: Behind) -> Callable[[State], None]:
        """What happens between two steps: the bar moves, and every so often a copy of the state is saved."""
        saved_at, origin = time.monotonic(), {"origin": self.origin_of(job)}

        def tick(state: State) -> None:
            nonlocal saved_at
            self.watch(job, state)
            if asked() or time.monotonic() - saved_at > SAVE_EVERY:
                copies = {name: tensor.to("cpu", copy=True) for name, tensor in state.tensors.items()}
                behind.hand(partial(self.progress.save, job.number, deepcopy(state.facts()) | origin, copies))
                saved_at = time.monotonic()
            if asked():
                behind.wait()
                raise KeyboardInterrupt

        return tick

    def write(self, job: Level, state: State, seed: int, origin: Beginning) -> None:
        place = state.seeds.index(seed)
        weights = {name: value[place].cpu() for name, value in job.weights(state).items()}
        snapshots: dict[int, Weights] = {} if job.number and not self.run.taken else {0: origin.start}
        for name, value in state.group("snapshot/").items():
            step, _, tensor = name.partition("/")
            snapshots.setdefault(int(step), {})[tensor] = value[place].cpu()
        self.run.write(self.facts(state, seed, job.number, origin), weights, origin.mask, snapshots)

    def facts(self, state: State, seed: int, level: int, origin: Beginning) -> dict[str, Any]:
        """The sidecar of a ticket, less what the room of tickets adds."""
        return (
            origin.descent
            | left(origin.mask, chain=isinstance(self.network, Network))
            | {
                "seed": seed,
                "level": level,
                "parameters": list(self.network.shapes),
                "start_step": self.spec.prune.rewind if level and not self.run.taken else 0,
                "masked": {name: list(mask.shape) for name, mask in origin.mask.items()},
                "chart": {"kind": self.spec.chart.kind, "seed": None, "fingerprint": None},
                "unit": self.unit.to_dict(),
                "provenance": provenance(),
                "metrics": state.rows[seed],
            }
        )


def with_biases(mask: Weights, shapes: Shapes) -> Weights:
    """A mask for every parameter: biases are kept."""
    return {name: mask.get(name, torch.ones(shape, dtype=torch.bool)) for name, shape in shapes.items()}
