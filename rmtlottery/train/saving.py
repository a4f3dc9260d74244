"""What is saved of a level while it trains, and how it goes on from there."""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.progress import Progress
from rmtlottery.train.behind import Behind
from rmtlottery.train.level import Level, begin
from rmtlottery.train.state import State

SAVE_EVERY = 20.0
FORMAT = 2  # of what is saved: a checkpoint of another is as good as none


@dataclass(frozen=True)
class Saving:
    """Checkpoints of one unit of work, which `unit` describes; `watch` is told of every step."""

    progress: Progress
    unit: dict[str, Any]
    device: str
    watch: Callable[[Level, State], None]

    def resume(self, job: Level, seeds: list[int]) -> State:
        """From the checkpoint, if it began with these seeds, in this unit, where this level begins; else anew."""
        saved = self.progress.load(job.number)
        if saved and saved[0]["seeds"] == seeds and saved[0]["origin"] == self.origin_of(job):
            return State.restore(*saved, self.device)
        return begin(job, seeds)

    def origin_of(self, job: Level) -> dict[str, Any]:
        """What tells a checkpoint that began elsewhere: another unit, another parent, another mask."""
        begins = {"start": job.chart.start, "reach": job.chart.weights(torch.ones_like(job.chart.start))} | job.buffers
        return {"format": FORMAT, "unit": self.unit, "sha256": fingerprint(begins)}

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
