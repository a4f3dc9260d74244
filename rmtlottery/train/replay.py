"""Steps recorded once and replayed by the device: no launch waits for Python, and the host never waits for the device."""

from collections.abc import Callable
from functools import partial

import torch

from rmtlottery.nets import Network
from rmtlottery.train.step import Step

MOST = 32  # steps in one recording
FIRST = 3  # steps taken as they are, in which libraries set themselves up
Work = Callable[[], None]
Advance = Callable[[int, int], int]


def advancing(step: Step) -> Advance:
    """(place in the epoch, most steps) -> steps taken from there: as they are, or on a GPU by replaying recordings."""
    if step.place.device.type == "cuda" and isinstance(step.level.network, Network):
        return Replayed(step, recorded)
    return lambda place, most: one(step, place)


def one(step: Step, place: int) -> int:
    step.take(step.level.samples(place))
    return 1


class Replayed:
    """Recordings of 1, 2, 4, ... steps of full batches. `record` makes of work one that only repeats its kernels."""

    def __init__(self, step: Step, record: Callable[[Work], Work]) -> None:
        self.step, self.record, self.fresh = step, record, FIRST
        self.recordings: dict[int, Work] = {}
        self.batch = step.level.spec.schedule.batch

    def __call__(self, place: int, most: int) -> int:
        full = self.step.orders.shape[1] // self.batch - place
        if self.fresh or full < 1:
            self.fresh = max(0, self.fresh - 1)
            return one(self.step, place)
        number = 1 << (min(most, full, MOST).bit_length() - 1)
        if number not in self.recordings:
            self.recordings[number] = self.record(partial(self.several, number))
        self.recordings[number]()
        return number

    def several(self, number: int) -> None:
        for _ in range(number):
            self.step.take(self.batch)


def recorded(work: Work) -> Work:
    """A CUDA graph of the work, which is not done by being recorded."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
