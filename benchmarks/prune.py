"""The demo's net through three cuts against torch.nn.utils.prune, which masks each weight before every forward pass."""

from collections.abc import Iterator

import torch
from torch.nn.utils import prune

import rmtlottery as rl
from benchmarks import _ordinary, _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery import datasets
from rmtlottery.tickets.parts import Prune

DIFFERS = (
    "Ours also writes each level's ticket and tables to disk. The other is a DataLoader loop over nn.Linear, without masks "
    "before the first cut. Both make the same cuts, rewind and score two held-out splits after every epoch."
)
SPEC = rl.preset("digits").but(epochs=3, levels=3, seeds=0)
DATA = datasets.dataset(SPEC.data)


def measure() -> Iterator[Row]:
    limit = products([_ordinary.weights(SPEC, DATA)] * len(SPEC.levels), SPEC, DATA)
    yield pairs("three cuts", lambda: _ours.train(SPEC), other, limit=limit)


def other() -> torch.nn.Sequential:
    net = _ordinary.network(SPEC, DATA, torch.nn.Linear)
    _ordinary.train_levels(net, SPEC, DATA, cut=cut)
    return net


def cut(chain: _ordinary.Chain, rule: Prune) -> None:
    """torch takes the amount of a repeated cut as part of what remains, as we do."""
    for layer, rate in zip(chain, _ordinary.rates(chain, rule), strict=True):
        prune.l1_unstructured(layer, "weight", amount=rate)
