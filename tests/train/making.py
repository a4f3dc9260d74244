"""Levels ready to train, as the tests of this room want them."""

from dataclasses import replace
from functools import partial

import torch

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.charts.chart import full, masked, survivors
from rmtlottery.charts.flat import flatten, unflatten
from rmtlottery.nets.init import initial
from rmtlottery.nets.losses import cross_entropy
from rmtlottery.train.level import Level
from rmtlottery.train.scores import scored

SPEC = rl.Spec().but(widths="12,8", epochs=2, batch=100)


def level_of(spec, seeds, number=0, density=0.3, compute=torch.float32):
    """A level of these seeds, ready to train, and its flat mask (None for a dense level)."""
    data = datasets.dataset(spec.data)
    network = nets.build(spec.net, data.shape, data.classes)
    theta = torch.stack([flatten(initial(spec.init, network.shapes, seed), network.shapes) for seed in seeds])
    if number == 0:
        return Level(spec, 0, 0, network, data, full(theta), {}, compute), None
    mask = torch.rand(theta.shape, generator=torch.Generator().manual_seed(1)) < density
    return Level(spec, number, 0, network, data, masked(full(theta), mask), {}, compute), mask


def with_equal_counts(level, density):
    """The level under masks that keep equally many weights in every seed, and every bias; the flat mask."""
    mask = torch.zeros_like(level.chart.start, dtype=torch.bool)
    for seed, row in enumerate(mask):
        for name, piece in unflatten(row, level.network.shapes).items():
            order = torch.randperm(piece.numel(), generator=torch.Generator().manual_seed(seed))
            kept = piece.numel() if name.endswith("bias") else round(density * piece.numel())
            piece.view(-1)[order[:kept]] = True
    return replace(level, chart=masked(full(level.chart.start), mask)), mask


def of_survivors(level, mask):
    """The same level, of kept weights alone."""
    return replace(level, chart=survivors(level.chart.start, mask), survivors=mask)


def evaluate(network, weights, split):
    """Mean loss and accuracy of each seed."""
    numbers = network.widest * len(next(iter(weights.values())))
    return scored(partial(network.logits, weights), cross_entropy, split, numbers)
