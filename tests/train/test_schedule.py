"""Learning rates by hand: 4 steps an epoch, 3 epochs, peak 2."""

import pytest

from rmtlottery.tickets.parts import Constant, Cosine, Steps
from rmtlottery.train.schedule import learning_rate

COSINE = {0: 2.0, 2: 1 + 3**0.5 / 2, 3: 1 + 0.5**0.5, 4: 1.5, 6: 1.0, 8: 0.5, 11: 0.03407417371093169, 12: 0.0}


@pytest.mark.parametrize("step", [0, 1, 5, 11])
def test_constant_is_the_peak(step):
    assert learning_rate(Constant(epochs=3), 2.0, step, 4) == 2.0


@pytest.mark.parametrize(("step", "expected"), list(COSINE.items()))
def test_cosine_falls_from_the_peak_to_nothing_over_all_epochs(step, expected):
    assert learning_rate(Cosine(epochs=3), 2.0, step, 4) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(("step", "expected"), [(0, 2.0), (3, 2.0), (4, 0.5), (7, 0.5), (8, 0.125), (11, 0.125)])
def test_steps_drop_at_the_first_step_of_each_milestone(step, expected):
    assert learning_rate(Steps(epochs=3, milestones=(1, 2), factor=0.25), 2.0, step, 4) == expected


def test_milestones_need_no_order():
    assert learning_rate(Steps(milestones=(5, 1), factor=0.25), 2.0, 4, 4) == 0.5


@pytest.mark.parametrize(("step", "expected"), [(0, 0.4), (1, 0.8), (2, 1.2), (3, 1.6), (4, 2.0), (5, 2.0), (40, 2.0)])
def test_warmup_rises_linearly_and_reaches_the_peak_at_its_last_step(step, expected):
    assert learning_rate(Constant(warmup=5), 2.0, step, 4) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("kind", [Constant, Cosine, Steps])
def test_no_warmup_begins_at_the_peak(kind):
    assert learning_rate(kind(warmup=0), 0.3, 0, 7) == 0.3


def test_warmup_multiplies_the_course():
    assert learning_rate(Cosine(epochs=3, warmup=8), 2.0, 4, 4) == pytest.approx(1.5 * 5 / 8, rel=1e-14)
    assert learning_rate(Steps(epochs=3, milestones=(1,), factor=0.5, warmup=10), 2.0, 5, 4) == pytest.approx(0.6, rel=1e-14)
