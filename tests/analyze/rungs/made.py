"""Tickets that nobody trained: an init under a mask by lot, inputs of three classes, some to test and some to train on."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure.signal import Probe
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import Normal

CLASSES = 3
INIT = Normal(sigma_w=1.5, sigma_b=0.4)


class Made(NamedTuple):
    ticket: Any
    weights: dict[str, torch.Tensor]
    seen: Probe


def made(net, shape=(20,), *, seed=0, density=1.0, init=INIT, inputs=24, train=150):
    network = nets.build(net, shape, CLASSES)
    numbers = torch.Generator().manual_seed(seed)
    mask = {name: torch.rand(network.shapes[name], generator=numbers) < density for name in network.prunable}
    drawn = initial(INIT if init.kind == "passed" else init, network.shapes, seed)
    weights = {name: value * mask[name] if name in mask else value for name, value in drawn.items()}
    x, y = samples(inputs + train, torch.Size(shape).numel())
    seen = Probe(network, x[:inputs], "made inputs", y[:inputs], Split(x[inputs:], y[inputs:]))
    return Made(SimpleNamespace(spec=rl.Spec(net=net, init=init), mask=mask), weights, seen)


def samples(number, features):
    """Inputs about the centres of their classes, of unequal lengths."""
    numbers = torch.Generator().manual_seed(7)
    centres = torch.randn(CLASSES, features, generator=numbers)
    y = torch.arange(number) % CLASSES
    x = centres[y] + 0.8 * torch.randn(number, features, generator=numbers)
    return x * (0.6 + torch.rand(number, 1, generator=numbers)), y
