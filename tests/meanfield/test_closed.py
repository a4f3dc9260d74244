"""Closed forms where they could lose digits; elsewhere they are held to mpmath in test_activations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf

from rmtlottery.meanfield.activations import ACTIVATIONS
from rmtlottery.meanfield.closed import corner_densities, determinant, inside, outside
from rmtlottery.meanfield.pairs import gaussian_pair_mean


def test_shares_inside_and_outside():
    q = np.array([0.2, 3.0])
    assert_allclose(inside(0, q), erf(1 / np.sqrt(2 * q)), rtol=1e-14)
    assert_allclose(inside(0, q) + outside(q), 1, rtol=1e-15)
    assert_allclose(inside(2, 1e8), np.sqrt(2 / np.pi) / 3e12, rtol=1e-7)  # erf - its first term would leave nothing
    assert inside(2, np.zeros(())) == 1


def test_determinant_of_equal_signals_is_linear():
    assert_allclose(determinant(1e9, 1e9, 1.0), 1 + 2e9, rtol=1e-15)


@pytest.mark.parametrize("q", [1e-3, 0.5, 40.0, 1e5])
def test_the_corners_make_up_what_equal_signals_have_more_than_independent_ones(q):
    q = np.array(q)
    r, corners = corner_densities(q, q, np.array(1.0))
    assert np.all((r > 0) & (r < 1))
    assert_allclose(corners.sum(), inside(0, q) * (1 - inside(0, q)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["gelu", "erf"])
def test_closed_pairs_of_smooth_curves_against_the_rule(name):
    act, q1, q2, c = ACTIVATIONS[name], np.array([[[0.01]], [[4.0]]]), np.array([[2.0], [4.0]]), np.linspace(-1, 1, 9)
    for form, f in ((act.K, act.phi), (act.K_slope, act.slope)):
        assert_allclose(form(q1, c, q2), gaussian_pair_mean(f, q1, q2, c), rtol=1e-11, atol=1e-14)


def test_gelu_of_opposite_signals_keeps_its_digits_at_large_lengths():
    q, act = 1e5, ACTIVATIONS["gelu"]
    assert_allclose(act.K_slope(q, -1.0), gaussian_pair_mean(act.slope, q, q, -1.0), atol=1e-13)
