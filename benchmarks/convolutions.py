"""Four seeds of a small convolutional net as one batched program against the same four one after another."""

import tempfile

import rmtlottery as rl
from benchmarks.clock import pairs

SPEC = rl.preset("first").but(net={"kind": "conv", "channels": "3x16"}, epochs=1, levels=1, seeds=tuple(range(4)))


def measure() -> dict[str, float]:
    return pairs(lambda: train(None), lambda: train(1))


def train(seed_batch: int | None) -> None:
    with tempfile.TemporaryDirectory() as root:
        rl.fit(SPEC, root, seed_batch=seed_batch)
