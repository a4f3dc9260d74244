"""A small net in float64 with all its weights drawn, and its logits' Jacobian written out."""

import numpy as np
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure.hessian import Landscape

INPUTS, CLASSES, SAMPLES = 6, 3, 23


def landscape(loss="cross_entropy", kept=None, batch=7, spec=None):
    """About random weights; `kept` is the share of every weight matrix that a mask leaves."""
    network = nets.build((spec or rl.Spec().but(widths="5,4")).net, (INPUTS,), CLASSES)
    numbers = torch.Generator().manual_seed(0)
    draw = {name: torch.randn(shape, generator=numbers, dtype=torch.float64) for name, shape in network.shapes.items()}
    mask = {name: torch.rand(draw[name].shape, generator=numbers) < kept for name in network.prunable} if kept else None
    x = torch.randn(SAMPLES, INPUTS, generator=numbers, dtype=torch.float64)
    split = Split(x, torch.randint(CLASSES, (SAMPLES,), generator=numbers))
    held = Landscape.about(network, draw, split, loss, mask)
    return Landscape(**(vars(held) | {"batch": batch}))


def jacobian(held):
    """(samples, classes, kept weights)."""
    return torch.func.jacrev(lambda flat: held.logits(flat, held.split.x))(held.at)


def vector(size, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(size))
