"""Limits: sane rates, and products counted as torch counts them."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

import rmtlottery as rl
from benchmarks import _machine, _ordinary, convolutions, modules
from rmtlottery import datasets

SPEC = rl.preset("first").but(widths="12,7", epochs=3, seeds=(0, 1))
DATA = datasets.dataset(SPEC.data)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_product_rates_are_those_of_a_machine(precision):
    assert 1e8 < _machine.product_rate(precision, side=256) < 1e16


def test_memory_is_slower_than_a_terabyte_a_second_times_ten():
    assert 1e8 < _machine.copy_rate(floats=2**22) < 1e13


def counted(net, x, y):
    """FLOPs of a step, and of scoring, by torch's own count."""
    with FlopCounterMode(display=False) as learning:
        cross_entropy(net(x), y).backward()
    with torch.no_grad(), FlopCounterMode(display=False) as scoring:
        net(x)
    return learning.get_total_flops(), scoring.get_total_flops()


def test_products_are_counted_as_torch_counts_them():
    train, held_out = len(DATA.train), len(DATA.validation) + len(DATA.test)
    learning, scoring = counted(_ordinary.network(SPEC, DATA), DATA.train.x, DATA.train.y)
    twice = [_ordinary.weights(SPEC, DATA)] * 2
    assert _machine.flops(twice, SPEC, DATA) == (2 * 3 * 2 * learning, 2 * 3 * 2 * scoring * held_out // train)


@pytest.mark.parametrize("part", [convolutions, modules])
def test_products_of_convolutions_are_counted_as_torch_counts_them(part):
    from rmtlottery import nets

    network = nets.build(part.SPEC.net, part.DATA.shape, part.DATA.classes)
    weights = {name: torch.randn(1, *shape) for name, shape in network.shapes.items()}
    weights |= {name: value.unsqueeze(0) for name, value in network.buffers.items()}
    with FlopCounterMode(display=False) as scoring:
        network.logits(weights, part.DATA.test.x[None, :5])
    assert scoring.get_total_flops() == 5 * 2 * sum(part.PRODUCTS)


def test_a_limit_is_the_products_over_the_rate(monkeypatch):
    monkeypatch.setattr(_machine, "product_rate", {"fp32": 10.0, "bf16": 40.0}.__getitem__)
    layers = [_ordinary.weights(SPEC, DATA)]
    learning, scoring = _machine.flops(layers, SPEC, DATA)
    limit = _machine.products(layers, SPEC, DATA, "bf16")
    assert limit.name == "bf16 gemm"
    assert limit.seconds() == pytest.approx(learning / 40 + scoring / 10)
