"""Eight seeds as one batched program against the same eight seeds one after another, files and all."""

import tempfile

import rmtlottery as rl
from benchmarks.clock import pairs

SPEC = rl.preset("first").but(widths="8x64", epochs=4, levels=1, seeds=tuple(range(8)))


def measure() -> dict[str, float]:
    return pairs(lambda: train(None), lambda: train(1))


def train(seed_batch: int | None) -> None:
    with tempfile.TemporaryDirectory() as root:
        rl.fit(SPEC, root, seed_batch=seed_batch)
