"""Eight seeds of a small net as one batched program against the same eight seeds one after another."""

from collections.abc import Iterator

import rmtlottery as rl
from benchmarks import _ordinary, _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery import datasets

DIFFERS = "Nothing but how many seeds go side by side: both are ours, with all tickets and tables on disk."
SPEC = rl.preset("first").but(widths="8x64", epochs=4, levels=1, seeds=tuple(range(8)))
DATA = datasets.dataset(SPEC.data)


def measure() -> Iterator[Row]:
    limit = products([_ordinary.weights(SPEC, DATA)] * len(SPEC.levels), SPEC, DATA)
    yield pairs("one cut", lambda: _ours.train(SPEC), lambda: _ours.train(SPEC, seed_batch=1), limit=limit)
