"""A trial takes steps of a level that is as dear as those to come."""

import pytest

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


def test_survivors_are_tried_alone_where_the_unit_would_train_them_so(tiny, monkeypatch):
    monkeypatch.setattr("rmtlottery.train.reach.LARGE", 1)
    unit = Unit(tiny.seeds, sparse=0.5)
    assert trial(material(tiny.but(epochs=1)), unit, 0.3).few
    assert not trial(material(tiny.but(epochs=1)), unit, 0.8).few
