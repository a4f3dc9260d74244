"""One seed of the demo's dense level against an ordinary loop on the same samples."""

from collections.abc import Iterator

import torch

import rmtlottery as rl
from benchmarks import _ordinary, _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery import datasets

DIFFERS = (
    "Ours also writes the ticket and tables to disk. The other is nn.Sequential, torch.optim.Adam and either a shuffling "
    "DataLoader or batches by index. Both score two held-out splits after every epoch."
)
SPEC = rl.preset("digits").but(epochs=5, levels=0, seeds=0)
DATA = datasets.dataset(SPEC.data)


def measure() -> Iterator[Row]:
    limit = products([_ordinary.weights(SPEC, DATA)], SPEC, DATA)
    for case, batches in (("DataLoader", _ordinary.loaded), ("batches by index", _ordinary.indexed)):

        def other(batches: _ordinary.Batcher = batches) -> None:
            _ordinary.train(_ordinary.network(SPEC, DATA, torch.nn.Linear), SPEC, DATA, batches=batches)

        yield pairs(case, lambda: _ours.train(SPEC), other, limit=limit)
