"""Gaussian averages: the quadrature against closed forms and a plain trapezoid rule."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf, erfcx, expit

from rmtlottery.meanfield import gaussian_mean
from rmtlottery.meanfield.gaussian import gaussian_pair_mean, half_line

C = np.array([-1, -0.99, -0.3, 0, 0.5, 0.999, 1])


def plain_pair_mean(f, q, c):
    """E f(u1) f(u2), trapezoid rule along the sum and the difference of u1, u2; f analytic up to |Im u| = pi/2."""
    grids = []
    for share in ((1 + c) / 2, (1 - c) / 2):
        width = np.sqrt(q * share)
        step = min(0.25, 0.2 / width) if width else 18.0
        z = step * np.arange(-int(9 / step), int(9 / step) + 1)
        weight = np.exp(-z * z / 2)
        grids.append((width * z, weight / weight.sum()))
    (mean, v), (half, w) = grids
    return sum(vi * np.sum(w * f(m + half) * f(m - half)) for m, vi in zip(mean, v, strict=True))


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


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (np.sin, lambda q, c: np.exp(-q) * np.sinh(q * c)),
        (np.cos, lambda q, c: np.exp(-q) * np.cosh(q * c)),
        (np.exp, lambda q, c: np.exp(q * (1 + c))),  # neither odd nor even: c < 0 needs m(z) m(-z)
        (lambda u: u + u**2, lambda q, c: q * c + q**2 * (1 + 2 * c**2)),
    ],
    ids=["sin", "cos", "exp", "polynomial"],
)
def test_pair_mean_of_a_smooth_function(f, expected):
    q = np.array([[1e-6], [0.05], [0.3]])
    assert_allclose(gaussian_pair_mean(f, q, C), expected(q, C), rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("q", [1e-6, 0.3, 10, 1e4])
@pytest.mark.parametrize("c", [-0.99, -0.3, 0.5, 0.999])
@pytest.mark.parametrize("f", [np.tanh, lambda u: np.cosh(np.clip(u, -300, 300)) ** -2.0], ids=["tanh", "slope"])
def test_pair_mean_against_the_plain_rule(f, c, q):
    assert_allclose(gaussian_pair_mean(f, q, c), plain_pair_mean(f, q, c), rtol=1e-10)


@pytest.mark.parametrize("c", [-1, 1])
def test_pair_mean_of_equal_and_of_opposite_signals(c):
    q = np.array([1e-6, 0.3, 10, 1e4])
    assert_allclose(gaussian_pair_mean(np.tanh, q, c), c * gaussian_mean(lambda u: np.tanh(u) ** 2, q), rtol=1e-10)


def test_pair_mean_of_independent_signals_is_the_product():
    def f(u):
        return np.tanh(u + 1)

    assert_allclose(gaussian_pair_mean(f, 2.0, 0.0), gaussian_mean(f, 2.0) ** 2, rtol=1e-12)


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
