"""Steps recorded once and replayed by the device, so that no launch waits for Python, nor the host for a step."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch

from rmtlottery.nets import Network
from rmtlottery.train.step import Step

MOST = 32  # steps in one recording
FIRST = 3  # steps taken as they are, in which libraries set themselves up
Work = Callable[[], None]
Advance = Callable[[int, int], int]


class Recorder(Protocol):
    """What can have work done, and make of work one that only repeats its kernels, which is not done by being recorded."""

    def do(self, work: Work) -> None: ...

    def record(self, work: Work) -> Work: ...


def advancing(step: Step) -> Advance:
    """(place in the epoch, most steps) -> steps taken from there: as they are, or on a GPU by replaying recordings."""
    device = step.place.device
    if device.type == "cuda" and isinstance(step.level.network, Network):
        return Replayed(step, Graphs(device))
    return lambda place, most: one(step, place)


def one(step: Step, place: int) -> int:
    step.take(step.level.samples(place))
    return 1


class Replayed:
    """Recordings of 1, 2, 4, ... steps of full batches."""

    def __init__(self, step: Step, recorder: Recorder) -> None:
        self.step, self.recorder, self.fresh = step, recorder, FIRST
        self.recordings: dict[int, Work] = {}
        self.batch = step.level.spec.schedule.batch

    def __call__(self, place: int, most: int) -> int:
        full = self.step.orders.shape[1] // self.batch - place
        if self.fresh or full < 1:
            self.fresh = max(0, self.fresh - 1)
            self.recorder.do(partial(self.step.take, self.step.level.samples(place)))
            return 1
        number = 1 << (min(most, full, MOST).bit_length() - 1)
        if number not in self.recordings:
            self.recordings[number] = self.recorder.record(partial(self.several, number))
        self.recordings[number]()
        if len(self.recordings) == 1:
            self.check(place + number)
        return number

    def several(self, number: int) -> None:
        for _ in range(number):
            self.step.take(self.batch)

    def check(self, place: int) -> None:
        """A recording made on another device than its tensors' is empty, and nothing would say so."""
        if int(self.step.place) != place:
            raise RuntimeError(f"the device stands at step {int(self.step.place)} of the epoch, not {place}: no replay")


class Graphs:
    """CUDA graphs on a stream of their own, with one pool of memory, since they never run side by side."""

    def __init__(self, device: torch.device) -> None:
        self.stream, self.pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()

    def do(self, work: Work) -> None:
        """On the same stream, where libraries keep their workspaces."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            work()
        torch.cuda.current_stream().wait_stream(self.stream)

    def record(self, work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, self.pool, self.stream, capture_error_mode="thread_local"):
            work()
        return graph.replay
