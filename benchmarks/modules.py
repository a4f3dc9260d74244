"""Four seeds of a residual net with batch normalisation under vmap against the same four one after another."""

import tempfile

import rmtlottery as rl
from benchmarks.clock import pairs

NET = {"kind": "resnet", "depth": 8, "stem": 8}
SPEC = rl.preset("first").but(net=NET, init="he", epochs=1, levels=1, seeds=tuple(range(4)))


def measure() -> dict[str, float]:
    return pairs(lambda: train(None), lambda: train(1))


def train(seed_batch: int | None) -> None:
    with tempfile.TemporaryDirectory() as root:
        rl.fit(SPEC, root, seed_batch=seed_batch)
