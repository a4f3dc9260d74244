"""A trial takes steps of a level that is as dear as those to come."""

import pytest
import torch

from rmtlottery.train.material import material
from rmtlottery.train.trial import DENSE, level_of, trial
from rmtlottery.work.unit import Unit


def test_a_trial_is_positive_even_where_a_level_is_two_steps_long(tiny):
    found = trial(material(tiny.but(epochs=1, batch=900)), Unit(tiny.seeds), DENSE)
    assert found.step > 0
    assert found.scoring > 0
    assert not found.few


@pytest.mark.parametrize("density", [0.3, 0.6])
def test_its_masks_keep_every_bias_and_so_many_weights(tiny, density):
    level = level_of(material(tiny), Unit(tiny.seeds), density)
    kept = (level.chart.weights(level.chart.start) != 0).float().mean(1)
    assert kept.tolist() == pytest.approx([density, density], abs=0.5 / 974)


def test_directions_that_are_not_found_yet_are_stood_in_for(tiny):
    spec = tiny.but(chart="principal", dim=5)
    chart = level_of(material(spec), Unit(spec.seeds), DENSE).chart
    assert chart.start.shape == (2, 5)
    moved = chart.weights(torch.eye(5)[:2]) - chart.weights(torch.zeros(2, 5))
    assert moved.norm(dim=1).tolist() == pytest.approx([1, 1], rel=0.1)
    assert not torch.equal(*moved)


def test_survivors_are_tried_alone_where_the_unit_would_train_them_so(tiny, monkeypatch):
    monkeypatch.setattr("rmtlottery.train.reach.LARGE", 1)
    unit = Unit(tiny.seeds, sparse=0.5)
    assert trial(material(tiny.but(epochs=1)), unit, 0.3).few
    assert not trial(material(tiny.but(epochs=1)), unit, 0.8).few
