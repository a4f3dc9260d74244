"""Which chart a level trains, and when survivors are multiplied alone."""

import pytest
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.charts.chart import full
from rmtlottery.train.reach import densest_sparse, few_enough, reach
from rmtlottery.work.unit import Unit

THETA = torch.arange(1.0, 11.0).expand(2, 10)
HALF = torch.tensor([[1, 0] * 5, [0, 1] * 5], dtype=torch.bool)
WIDE = nets.build(rl.Spec().but(widths="200,90").net, (300,), 10)


@pytest.mark.parametrize(("few", "coordinates"), [(False, 10), (True, 5)])
def test_either_chart_of_a_mask_begins_at_the_same_weights(few, coordinates):
    chart = reach(full(THETA), HALF, few)
    assert chart.start.shape == (2, coordinates)
    assert torch.equal(chart.weights(chart.start), THETA * HALF)


def test_a_mask_of_ones_is_none():
    assert torch.equal(reach(full(THETA), torch.ones_like(HALF), few=False).start, THETA)


@pytest.mark.parametrize(("sparse", "few"), [(0.6, True), (0.5, True), (0.49, False), (0.0, False)])
def test_few_is_at_or_below_the_units_density(sparse, few):
    assert few_enough(Unit((0, 1), sparse=sparse), WIDE, 128, HALF) is few


def test_seeds_that_keep_different_numbers_stay_whole():
    kept = HALF.clone()
    kept[1, 0] = True
    assert not few_enough(Unit((0, 1), sparse=1.0), WIDE, 128, kept)


def test_only_large_chains_on_a_cpu_are_ever_sparse():
    conv = nets.build(rl.preset("lens_conv_small").net, (3, 32, 32), 10)
    module = nets.build(rl.preset("resnet20_cifar10").net, (3, 32, 32), 10)
    assert densest_sparse(Unit((0,), sparse=0.3), WIDE, 128) == 0.3
    assert densest_sparse(Unit((0,), sparse=0.3), WIDE, 16) == 0, "the largest product has under 2^20 multiplications"
    assert densest_sparse(Unit((0,), "cuda", sparse=0.3), WIDE, 128) == 0
    assert [densest_sparse(Unit((0,), sparse=0.3), net, 128) for net in (conv, module)] == [0, 0]
