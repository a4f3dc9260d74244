"""Rows of scores: running means while training, whole splits after it, and every sample once."""

from dataclasses import replace

import pytest
import torch

from rmtlottery.charts.flat import unflatten
from rmtlottery.train.level import begin
from rmtlottery.train.loop import train
from rmtlottery.train.scores import step_sizes
from tests.train.making import SPEC, evaluate, level_of


def test_the_last_batch_of_an_epoch_may_be_smaller_and_counts_for_less():
    level, _ = level_of(SPEC, [0])
    assert step_sizes(level, 0).tolist() == [100] * 12 + [93]


def test_a_level_that_starts_inside_an_epoch_counts_only_what_it_sees():
    level, _ = level_of(SPEC, [0])
    rewound = replace(level, first_step=15)
    assert step_sizes(rewound, 0).sum() == 0
    assert step_sizes(rewound, 1).tolist() == [0, 0] + [100] * 10 + [93]
    state = train(rewound, begin(rewound, [0]), lambda state: None)
    assert [row["epoch"] for row in state.rows[0]] == [2]
    assert 0.1 < state.rows[0][0]["train_loss"] < 3


def test_evaluation_in_portions_is_that_of_the_whole(monkeypatch):
    level, _ = level_of(SPEC, [0, 1])
    weights = unflatten(level.chart.start, level.network.shapes)
    whole = evaluate(level.network, weights, level.data.test)
    monkeypatch.setattr("rmtlottery.train.scores.portion", lambda widest, device: 7)
    torch.testing.assert_close(evaluate(level.network, weights, level.data.test), whole)
    logits = level.network.logits({name: value[1] for name, value in weights.items()}, level.data.test.x)
    assert whole[1][1].item() == pytest.approx((logits.argmax(1) == level.data.test.y).float().mean().item())
    assert whole[0][1].item() == pytest.approx(torch.nn.functional.cross_entropy(logits, level.data.test.y).item(), rel=1e-5)
