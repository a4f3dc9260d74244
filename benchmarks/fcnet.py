"""The FCNet of the preset lens_fc, dense and pruned by half, against an ordinary DataLoader loop with masks.

3072 -> 8x256 -> 10, tanh, Adam, batches of 128, one epoch a level, in float32 and in bfloat16 with float32 masters.
"""

from collections.abc import Iterator

import torch

import rmtlottery as rl
from benchmarks import _ordinary, _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.datasets.given import given

DIFFERS = (
    "Samples are random numbers of the shape of CIFAR-10, on which times do not depend. Ours also writes each level's "
    "ticket and tables to disk; the other takes no mask before the first cut, and fetches batches as DataLoader does by "
    "default. Both rewind, cut by magnitude and score two held-out splits in float32."
)
LEARN, TEST, FEATURES = 14_222, 2_000, 3_072  # a tenth is held out for validation: 100 steps of 128
SPEC = rl.preset("lens_fc").but(epochs=1, rate=0.5, last_rate=0.5, seeds=0)


def measure() -> Iterator[Row]:
    part, data = given(samples())
    for case, levels in (("dense", 0), ("dense, then pruned by half", 1)):
        for precision in ("fp32", "bf16"):
            yield compare(f"{case}, {precision}", SPEC.but(data=part, levels=levels), data, precision)


def compare(case: str, spec: rl.Spec, data: Dataset, precision: str) -> Row:
    return pairs(
        case,
        lambda: _ours.train(spec, precision=precision),
        lambda: _ordinary.train_levels(_ordinary.network(spec, data), spec, data, precision),
        limit=products([_ordinary.weights(spec, data)] * len(spec.levels), spec, data, precision),
    )


def samples(learn: int = LEARN, test: int = TEST, features: int = FEATURES) -> tuple[torch.Tensor, ...]:
    """(x, y, test_x, test_y)"""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(learn + test, features, generator=random)
    y = torch.arange(learn + test) % 10
    return x[:learn], y[:learn], x[learn:], y[learn:]
