"""`Level`: what stays the same while a level trains."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from rmtlottery.charts.chart import Chart
from rmtlottery.charts.flat import unflatten
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.nets import AnyNetwork
from rmtlottery.nets.losses import LOSSES, Loss
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.optimise import memory
from rmtlottery.train.schedule import learning_rate
from rmtlottery.train.state import Rows, State


@dataclass(frozen=True)
class Level:
    """Every seed's chart in one, and the type of the products. `survivors` is the flat mask of a level that multiplies
    nothing else."""

    spec: Spec
    number: int
    first_step: int
    network: AnyNetwork
    data: Dataset
    chart: Chart
    buffers: dict[str, torch.Tensor]
    compute: torch.dtype
    survivors: torch.Tensor | None = None

    @property
    def steps_an_epoch(self) -> int:
        return math.ceil(len(self.data.train) / self.spec.schedule.batch)

    @property
    def last_step(self) -> int:
        return self.spec.schedule.epochs * self.steps_an_epoch

    @property
    def phi(self) -> str:
        return str(getattr(self.spec.net, "phi", ""))

    @property
    def loss(self) -> Loss:
        return LOSSES[self.spec.optimiser.loss]

    @cached_property
    def stops(self) -> set[int]:
        """Steps after which the weights are kept."""
        return {*self.spec.record.snapshots, self.spec.prune.rewind} - {0}

    @property
    def shrink(self) -> float:
        """The decay of weights that is added to the gradient by them, before it is pulled back to fewer coordinates."""
        rule = self.spec.optimiser
        return 0.0 if self.chart.plain or self.survivors is not None or rule.decay_target != "weights" else rule.decay

    def stop(self, step: int) -> int:
        """Where steps in a row end at the latest: with the epoch, or before, where weights are kept."""
        end = (step // self.steps_an_epoch + 1) * self.steps_an_epoch
        return min({end, *(stop for stop in self.stops if stop > step)})

    def lr(self, step: int) -> float:
        return learning_rate(self.spec.schedule, self.spec.optimiser.lr, step, self.steps_an_epoch)

    def samples(self, place: int) -> int:
        """How many the step at this place of an epoch takes: the last one takes what is left."""
        return min(self.spec.schedule.batch, len(self.data.train) - place * self.spec.schedule.batch)

    def weights(self, state: State) -> dict[str, torch.Tensor]:
        """What each seed's network holds now: weights, biases and buffers by name."""
        return unflatten(self.chart.weights(state.tensors["coordinates"]), self.network.shapes) | state.group("buffer/")


def begin(level: Level, seeds: list[int]) -> State:
    """The state before a level's first step: the chart's start, an optimiser without memory."""
    start = level.chart.start.clone()
    slots = {f"slot/{name}": torch.zeros_like(start) for name in memory(level.spec.optimiser)}
    scores = {
        "losses": torch.zeros(len(seeds), level.steps_an_epoch, device=start.device),
        "hits": torch.zeros(len(seeds), device=start.device),
    }
    buffers = {f"buffer/{name}": value.clone() for name, value in level.buffers.items()}
    rows: list[Rows] = [[] for _ in seeds]
    return State(level.number, list(seeds), level.first_step, {"coordinates": start} | scores | slots | buffers, rows)
