"""A step reads what stands in its tensors and nothing else."""

import torch

from rmtlottery.train.level import begin
from rmtlottery.train.order import epoch_order
from rmtlottery.train.step import Step
from tests.train.making import SPEC, level_of


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
    from dataclasses import replace

    level, _ = level_of(SPEC.but(rewind=15), [0], number=1)
    step = Step(replace(level, first_step=15), begin(level, [0]))
    step.enter(epoch=1, place=2)
    assert step.count.item() == 0


def test_the_rate_is_that_of_the_step():
    """SGD without momentum moves by the rate times the gradient, whatever the warm-up makes of it."""
    rule = {"kind": "sgd", "momentum": 0, "lr": 0.4}
    level, _ = level_of(SPEC.but(optimiser=rule, warmup=4), [0])
    state = begin(level, [0])
    step = Step(level, state)
    step.enter(0, 0)
    for number in range(6):
        before = state.tensors["coordinates"].clone()
        step.take(100)
        moved = before - state.tensors["coordinates"]
        expected = 0.4 * min(1, (number + 1) / 4) * step.slope.gradient
        torch.testing.assert_close(moved, expected, rtol=1e-3, atol=1e-6)
