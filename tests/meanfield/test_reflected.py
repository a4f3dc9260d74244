"""Walks held at 0: Spitzer's identity, simulation, closed forms, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield.reflected import reflected_lengths
from tests.conftest import assert_mean


def spitzer(steps):
    """<x^2> of fair steps of spread 1, from the generating function of the moments of the highest place."""
    inner = [sum(1 / np.sqrt(i * (j - i)) for i in range(1, j)) for j in range(1, steps + 1)]
    return np.cumsum(0.5 + np.array(inner) / (2 * np.pi))


@pytest.mark.parametrize("spread", [1.0, 0.03, 40.0])
def test_fair_steps_follow_spitzer(spread):
    found = reflected_lengths(np.zeros((30, 1)), spread)
    assert found.shape == (30, 1)
    assert_allclose(found[:, 0], spread**2 * spitzer(30), rtol=2e-4)
    assert_allclose(found[:2, 0], [spread**2 / 2, spread**2 * (1 + 1 / (2 * np.pi))], rtol=2e-4)


def test_a_wide_walk_leaves_a_narrow_one_beside_it_its_cells():
    assert_allclose(
        reflected_lengths(np.zeros((3, 2)), [[1.0, 2000.0]]) / [1, 2000**2], spitzer(3)[:, None] * [1, 1], rtol=1e-4
    )


def test_channels_of_their_own_are_those_of_simulation():
    rng = np.random.default_rng(2)
    shift, spread = np.array([[0.5, -0.2, 0.0], [-0.7, 1.0, 0.0], [0.2, 0.1, 1.0], [-0.4, -0.8, 0.3]]), np.zeros((4, 3))
    spread[:, :2], spread[2:, 2] = rng.uniform(0.4, 1.5, (4, 2)), (0.3, 0.9)
    found, x = reflected_lengths(shift, spread), np.zeros((100_000, 3))
    for place in range(4):
        x = np.maximum(x + shift[place] + spread[place] * rng.standard_normal(x.shape), 0)
        for channel in range(3 if place > 1 else 2):
            expected = found[place, channel]
            assert_mean(x[:, channel] ** 2, expected, rejects=1.12 * expected)
    assert np.all(np.abs(found[:2, 2]) < 1e-12), "a channel that is not there yet"


def test_a_step_without_spread_is_a_shift():
    """0 -> 1.5 -> relu(-0.5) = 0 -> 0.25, and a channel without anything."""
    found = reflected_lengths([[1.5, 0], [-2.0, 0], [0.25, 0]], 0.0)
    assert_allclose(found[:, 0], [2.25, 0, 0.0625], rtol=1e-4, atol=1e-12)
    assert_allclose(found[:, 1], 0, atol=1e-12)


@pytest.mark.parametrize("steps", [12, 300])
def test_shifts_add_up(steps):
    """Without spread as with next to none, x comes as far as all steps together, and none of its law is lost there."""
    found = reflected_lengths(np.full((steps, 2), 0.5), [[0.0, 1e-4]])
    expected = (0.5 * np.arange(1, steps + 1)) ** 2
    assert_allclose(found[5:], np.stack([expected, expected], axis=1)[5:], rtol=1e-3)


def test_negative_shifts_settle_and_fair_steps_do_not():
    """A walk with drift -m is bounded: <x^2> stays below that of the exponential of rate 2 m, 2 / (2 m)^2."""
    drifting = reflected_lengths(np.full((60, 1), -1.0), 1.0)[:, 0]
    assert drifting[-1] < 0.5
    assert drifting[-1] == pytest.approx(drifting[-10], rel=1e-4)
    fair = reflected_lengths(np.zeros((300, 1)), 1.0)[:, 0]
    assert fair[-1] / 300 == pytest.approx(spitzer(300)[-1] / 300, rel=1.5e-3)
    assert 0.9 < fair[-1] / 300 < 1


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"spread = -1.0 is not finite and at least 0"):
        reflected_lengths(np.zeros((2, 1)), -1.0)
    with pytest.raises(ValueError, match=r"of shape \(3,\) are not finite values of \(steps, channels\)"):
        reflected_lengths(np.zeros(3), 1.0)
    with pytest.raises(ValueError, match=r"of shape \(2, 1, 1\) are not finite"):
        reflected_lengths(np.zeros((2, 1, 1)), 1.0)
    with pytest.raises(ValueError, match=r"of shape \(1, 2\) are not finite"):
        reflected_lengths([[np.nan, 1.0]], 1.0)
