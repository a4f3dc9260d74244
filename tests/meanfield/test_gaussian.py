"""Gaussian averages: the quadrature against closed forms and a plain trapezoid rule."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf, erfcx, expit

from rmtlottery.meanfield import gaussian_mean
from rmtlottery.meanfield.gaussian import half_line


@pytest.mark.parametrize("q", [1e-6, 0.3, 10, 1e4])
@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda u: u**2, lambda q: q),
        (lambda u: u**6, lambda q: 15 * q**3),
        (expit, lambda q: 0.5),
        (lambda u: np.exp(-(u**2)), lambda q: 1 / np.sqrt(1 + 2 * q)),
        (lambda u: erf(u) ** 2, lambda q: 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q))),
    ],
    ids=["square", "sixth", "sigmoid", "bell", "erf"],
)
def test_mean_of_a_smooth_function(f, expected, q):
    assert_allclose(gaussian_mean(f, q), expected(q), rtol=1e-11)


@pytest.mark.parametrize("q", [1e-6, 0.3, 10, 1e4])
@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda u: np.maximum(u, 0), lambda q: np.sqrt(q / (2 * np.pi))),
        (lambda u: np.abs(u) ** 3, lambda q: 2 * np.sqrt(2 / np.pi) * q**1.5),
        (lambda u: np.where(u > 0, u, 0.1 * u) ** 2, lambda q: 1.01 * q / 2),
    ],
    ids=["relu", "cube", "leaky"],
)
def test_mean_with_a_turn_at_zero(f, expected, q):
    assert_allclose(gaussian_mean(f, q), expected(q), rtol=1e-11)


def test_mean_of_no_variance_is_the_value_at_zero():
    assert_allclose(gaussian_mean(np.cos, 0.0), 1, rtol=1e-15)


def test_mean_keeps_the_shape_of_q():
    q = np.array([[0.1, 1, 2], [0, 0.2, 0.4]])
    assert gaussian_mean(np.exp, q).dtype == np.float64
    assert_allclose(gaussian_mean(np.exp, q), np.exp(q / 2), rtol=1e-12)


def test_half_line_stays_in_reach_and_is_dense_near_zero():
    z, w = half_line(9.0)
    assert z.min() >= 0
    assert z.max() <= 9 * (1 + 1e-14)
    assert np.sum(z < 0.09) > len(z) / 10
    assert np.all(w > 0)


@pytest.mark.parametrize("width", [1, 0.1, 0.01])
def test_half_line_resolves_a_narrow_bump_at_zero(width):
    z, w = half_line(9.0)
    expected = np.pi / 2 * width * erfcx(width / np.sqrt(2))
    assert_allclose(w @ (np.exp(-z * z / 2) / (1 + (z / width) ** 2)), expected, rtol=1e-11)


def test_half_line_gains_by_more_nodes():
    def error(nodes):
        z, w = half_line(9.0, nodes)
        assert z.shape == w.shape == (nodes,)
        return abs(w @ np.exp(-50 * z * z) - np.sqrt(np.pi / 200))

    assert error(64) < 1e-3 * error(8)


@pytest.mark.parametrize("q", [2e5, 1e8, 1e12])
def test_a_curve_that_grows_may_be_averaged_at_any_length(q):
    def softened(u):
        return u * expit(u)

    with pytest.raises(ValueError, match=r"q = .* is beyond 100000"):
        gaussian_mean(lambda u: softened(u) ** 2, q)
    bump = np.pi**2 / 3 / np.sqrt(2 * np.pi * q)  # twice the integral of relu - silu, over its normal density
    assert_allclose(gaussian_mean(softened, q, np.inf), np.sqrt(q / (2 * np.pi)) - bump / 2, rtol=max(1e-12, 30 / q**2))
    assert_allclose(gaussian_mean(lambda u: np.exp(-u * u), q, np.inf), 1 / np.sqrt(1 + 2 * q), rtol=1e-10)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_length_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match=f"q = {bad} is not finite and at least 0"):
        gaussian_mean(np.tanh, bad, np.inf)


def test_many_lengths_are_averaged_as_one_is():
    q = np.linspace(0.1, 3, 1001).reshape(7, 143)
    assert_allclose(gaussian_mean(np.cos, q), np.exp(-q / 2), rtol=1e-13)
