"""A step reads what stands in its tensors and nothing else."""

import math
from dataclasses import replace

import pytest
import torch

from rmtlottery.charts.chart import Chart
from rmtlottery.train.level import begin
from rmtlottery.train.order import epoch_order
from rmtlottery.train.step import Step
from tests.train.making import SPEC, level_of, of_survivors, with_equal_counts


def test_it_counts_its_own_place_and_takes_the_samples_that_stand_there(monkeypatch):
    level, _ = level_of(SPEC, [4, 6])
    step, asked = Step(level, begin(level, [4, 6])), []
    slope, step.slope = step.slope, lambda x, y: (asked.append((x, y)), slope(x, y))[1]
    step.enter(epoch=1, place=11)
    step.take(100)
    step.take(93)
    orders = [epoch_order(seed, 0, 1, 1293) for seed in (4, 6)]
    for (x, y), (first, last) in zip(asked, [(1100, 1200), (1200, 1293)], strict=True):
        index = torch.stack([order[first:last] for order in orders])
        assert torch.equal(x, level.data.train.x[index])
        assert torch.equal(y, level.data.train.y[index])
    assert step.place.item() == 13
    assert step.count.item() == 26


def test_the_count_begins_at_the_levels_first_step():
    level, _ = level_of(SPEC.but(rewind=15), [0], number=1)
    step = Step(replace(level, first_step=15), begin(level, [0]))
    step.enter(epoch=1, place=2)
    assert step.count.item() == 0


PLAIN_SGD = {"kind": "sgd", "momentum": 0, "lr": 0.4}


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_rate_is_that_of_the_step(epoch):
    """SGD without momentum moves by the rate times the gradient, whatever warm-up and cosine make of it."""
    level, _ = level_of(SPEC.but(optimiser=PLAIN_SGD, schedule="cosine", warmup=20), [0])
    state = begin(level, [0])
    step = Step(level, state)
    step.enter(epoch, 5)
    for number in range(13 * epoch + 5, 13 * epoch + 9):
        before = state.tensors["coordinates"].clone()
        step.take(100)
        moved = before - state.tensors["coordinates"]
        expected = 0.4 * min(1, (number + 1) / 20) * (1 + math.cos(math.pi * number / 26)) / 2 * step.slope.gradient
        torch.testing.assert_close(moved, expected, rtol=1e-3, atol=1e-6)


def moved_by_decay(level, decay, target):
    """What a step of SGD at rate .4 takes off the coordinates for the decay alone."""
    ends = []
    for size in (0.0, decay):
        spec = level.spec.but(optimiser=PLAIN_SGD).but(decay=size, decay_target=target)
        held = replace(level, spec=spec)
        state = begin(held, [0, 1])
        step = Step(held, state)
        step.enter(0, 0)
        step.take(100)
        ends.append(state.tensors["coordinates"])
    return ends[0] - ends[1]


@pytest.mark.parametrize(("target", "times"), [("weights", 4), ("coordinates", 1)])
def test_decay_pulls_back_what_it_is_told_to(target, times):
    """Where weights are twice the coordinates, decay of weights is four times that of coordinates."""
    level, _ = level_of(SPEC, [0, 1])
    theta = level.chart.start
    level = replace(level, chart=Chart(theta / 2, lambda c: 2 * c, lambda gradient, at: 2 * gradient))
    expected = 0.4 * 0.3 * times * theta / 2
    torch.testing.assert_close(moved_by_decay(level, 0.3, target), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("target", ["weights", "coordinates"])
def test_decay_of_survivors_is_that_of_their_weights(target):
    level, mask = with_equal_counts(level_of(SPEC, [0, 1])[0], 0.1)
    few = of_survivors(level, mask)
    expected = 0.4 * 0.3 * few.chart.start
    torch.testing.assert_close(moved_by_decay(few, 0.3, target), expected, rtol=1e-4, atol=1e-6)
