"""Four seeds of a small convolutional net as one batched program against the same four one after another."""

from collections.abc import Iterator
from itertools import pairwise

import rmtlottery as rl
from benchmarks import _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery import datasets

DIFFERS = "Nothing but how many seeds go side by side: both are ours, with all tickets and tables on disk."
CHANNELS = (16, 16, 16)
SPEC = rl.preset("first").but(net={"kind": "conv", "channels": CHANNELS}, epochs=1, levels=1, seeds=tuple(range(4)))
DATA = datasets.dataset(SPEC.data)
PIXELS = DATA.shape[1] * DATA.shape[2]
PRODUCTS = [9 * a * b * PIXELS for a, b in pairwise((1, *CHANNELS))] + [CHANNELS[-1] * DATA.classes]


def measure() -> Iterator[Row]:
    limit = products([PRODUCTS] * len(SPEC.levels), SPEC, DATA)
    yield pairs("one cut", lambda: _ours.train(SPEC), lambda: _ours.train(SPEC, seed_batch=1), limit=limit)
