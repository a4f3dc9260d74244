"""One point of the growth of cost, in a process of its own: `python -m benchmarks._point WIDTH DEPTH SEEDS BATCH`."""

import json
import statistics
import sys
from pathlib import Path

import torch

import rmtlottery as rl
from benchmarks import _ours
from benchmarks._clock import seconds
from rmtlottery.datasets.given import given

INPUTS, CLASSES, STEPS = 64, 10, 5  # steps an epoch
ENOUGH = 0.3  # seconds of steps


def spec(width: int, depth: int, seeds: int, batch: int, epochs: int = 1) -> rl.Spec:
    """Dense, random samples, next to none to score."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(STEPS * batch + CLASSES, INPUTS, generator=random)
    y = torch.arange(len(x)) % CLASSES
    part, _ = given((x[CLASSES:], y[CLASSES:], x[:CLASSES], y[:CLASSES]), validation=0)
    return rl.Spec().but(data=part, widths=(width,) * depth, seeds=tuple(range(seeds)), batch=batch, epochs=epochs, levels=0)


def step_seconds(one: rl.Spec) -> float:
    """By how much more epochs take longer, so that beginning and end of a run cancel; of short ones the median of three."""
    once = seconds(lambda: _ours.train(one))
    rough = seconds(lambda: _ours.train(one.but(epochs=3))) - once
    more = max(2, round(2 * ENOUGH / max(1e-2, rough)))
    turns, long = 1 if rough > ENOUGH else 3, one.but(epochs=1 + more)
    longer = [seconds(lambda: _ours.train(long)) - seconds(lambda: _ours.train(one)) for _ in range(turns)]
    return statistics.median(longer) / (more * STEPS)


def peak() -> int:
    """Bytes, since this process began. Linux's ru_maxrss would begin with those of the process that started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def measured(*point: int) -> dict[str, float]:
    """Memory is what a training adds to a process that has trained a net of next to nothing, its samples included."""
    _ours.train(spec(2, 1, 1, 8))
    before = peak()
    one = spec(*point)
    _ours.train(one)
    memory = peak() - before
    return {"step_s": step_seconds(one), "memory_bytes": memory}


if __name__ == "__main__":
    print(json.dumps(measured(*map(int, sys.argv[1:]))))
