"""Four seeds of a residual net with batch normalisation under vmap against the same four one after another."""

from collections.abc import Iterator

import rmtlottery as rl
from benchmarks import _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery import datasets

DIFFERS = "Nothing but how many seeds go side by side: both are ours, with all tickets and tables on disk."
NET = {"kind": "resnet", "depth": 8, "stem": 8}
SPEC = rl.preset("first").but(net=NET, init="he", epochs=1, levels=1, seeds=tuple(range(4)))
DATA = datasets.dataset(SPEC.data)
CONVOLUTIONS = [(1, 8, 64), (8, 8, 64), (8, 8, 64), (8, 16, 16), (16, 16, 16), (16, 32, 4), (32, 32, 4)]  # in, out, pixels
PRODUCTS = [9 * a * b * pixels for a, b, pixels in CONVOLUTIONS] + [32 * 10]


def measure() -> Iterator[Row]:
    limit = products([PRODUCTS] * len(SPEC.levels), SPEC, DATA)
    yield pairs("one cut", lambda: _ours.train(SPEC), lambda: _ours.train(SPEC, seed_batch=1), limit=limit)
