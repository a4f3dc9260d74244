"""Gaussian averages of pairs: Mehler's series and the plane against closed forms, a plain rule and one another."""

from math import lgamma

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield import gaussian_mean, gaussian_pair_mean
from rmtlottery.meanfield.pairs import TERMS, block_mean, coefficients, hermite_rule, left_over, plane_mean, series_mean

C = np.array([-1, -0.99, -0.3, 0, 0.5, 0.999, 1])


def plain_pair_mean(f, q1, c, q2=None):
    """E f(u1) f(u2), trapezoid rule along u1/sqrt(q1) +- u2/sqrt(q2); f analytic up to |Im u| = pi/2."""
    q1, q2 = (q1, q1) if q2 is None else (q1, q2)
    grids = []
    for share in ((1 + c) / 2, (1 - c) / 2):
        width = np.sqrt(share)
        step = min(0.25, 0.2 / (width * np.sqrt(max(q1, q2)))) if width else 18.0
        z = step * np.arange(-int(9 / step), int(9 / step) + 1)
        weight = np.exp(-z * z / 2)
        grids.append((width * z, weight / weight.sum()))
    (mean, v), (half, w) = grids
    return sum(
        vi * np.sum(w * f(np.sqrt(q1) * (m + half)) * f(np.sqrt(q2) * (m - half))) for m, vi in zip(mean, v, strict=True)
    )


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
    assert_allclose(gaussian_pair_mean(f, q, q, C), expected(q, C), rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("q", [1e-6, 0.3, 10, 1e4])
@pytest.mark.parametrize("c", [-0.99, -0.3, 0.5, 0.999])
@pytest.mark.parametrize("f", [np.tanh, lambda u: np.cosh(np.clip(u, -300, 300)) ** -2.0], ids=["tanh", "slope"])
def test_pair_mean_against_the_plain_rule(f, c, q):
    assert_allclose(gaussian_pair_mean(f, q, q, c), plain_pair_mean(f, q, c), rtol=1e-10)


@pytest.mark.parametrize("c", [-1, 1])
def test_pair_mean_of_equal_and_of_opposite_signals(c):
    q = np.array([1e-6, 0.3, 10, 1e4])
    assert_allclose(gaussian_pair_mean(np.tanh, q, q, c), c * gaussian_mean(lambda u: np.tanh(u) ** 2, q), rtol=1e-10)


def test_pair_mean_of_independent_signals_is_the_product():
    def f(u):
        return np.tanh(u + 1)

    assert_allclose(gaussian_pair_mean(f, 2.0, 0.3, 0.0), gaussian_mean(f, 2.0) * gaussian_mean(f, 0.3), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (np.sin, lambda p, q, r: np.exp(-(p + q) / 2) * np.sinh(r)),
        (np.exp, lambda p, q, r: np.exp((p + q) / 2 + r)),
        (lambda u: u + u**2, lambda p, q, r: r + p * q + 2 * r**2),
        (lambda u: np.exp(-(u**2)), lambda p, q, r: ((1 + 2 * p) * (1 + 2 * q) - 4 * r**2) ** -0.5),
    ],
    ids=["sin", "exp", "polynomial", "bell"],
)
def test_pair_mean_of_unequal_lengths(f, expected):
    q1, q2 = np.array([[[1e-6]], [[0.3]]]), np.array([[0.05], [1.7]])
    found = gaussian_pair_mean(f, q1, q2, C)
    assert found.shape == (2, 2, len(C))
    assert_allclose(found, expected(q1, q2, C * np.sqrt(q1 * q2)), rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("c", [-0.999, 0.9, 0.9999])
def test_unequal_lengths_against_the_plain_rule(c):
    for q1, q2 in ((1e-3, 900.0), (30.0, 40.0)):
        assert_allclose(gaussian_pair_mean(np.tanh, q1, q2, c), plain_pair_mean(np.tanh, q1, c, q2), rtol=1e-11)


@pytest.mark.parametrize("terms", TERMS)
def test_where_the_series_says_it_is_right_the_plane_agrees(terms):
    q, c = (grid.ravel() for grid in np.meshgrid([1e-4, 0.5, 2, 7, 60, 1e4], [-0.97, -0.4, 1e-3, 0.6, 0.9, 0.99, 1]))
    for f in (
        np.tanh,
        lambda u: np.tanh(u + 0.4),
        lambda u: np.cosh(np.clip(u, -300, 300)) ** -2.0,
        lambda u: np.maximum(u, 0),
    ):
        found, right = series_mean(f, q, q[::-1], c, terms)
        plane = [plane_mean(f, *given) for given in zip(q[right], q[::-1][right], c[right], strict=True)]
        assert 5 < right.sum() < len(q)
        assert_allclose(found[right], plane, rtol=2e-12)


def test_where_the_series_is_wrong_it_does_not_say_it_is_right():
    q, c = np.full(3, 900.0), np.array([0.9, -0.99, 0.999])
    found, right = series_mean(np.tanh, q, q, c, 128)
    off = found / [plain_pair_mean(np.tanh, 900.0, at) for at in c] - 1
    assert np.all(np.abs(off) > 1e-10)
    assert not right.any()
    assert_allclose(block_mean(np.tanh, q, q, c), [plain_pair_mean(np.tanh, 900.0, at) for at in c], rtol=1e-11)


@pytest.mark.parametrize("width", [300, 1e4])
@pytest.mark.parametrize("terms", TERMS)
def test_the_polynomials_are_orthonormal_and_the_last_is_resolved(terms, width):
    z, normal, weighted = hermite_rule(terms)
    few = weighted[:, :20]
    assert_allclose((few / normal[:, None]).T @ few, np.eye(20), atol=1e-12)
    share = 1 / (1 + width)  # E He_n(z) exp(-width z^2/2) = sqrt(share) (share - 1)^(n/2) n!/(2^(n/2) (n/2)!)
    log = lgamma(terms + 1) / 2 - terms / 2 * np.log(2 / (1 - share)) - lgamma(terms / 2 + 1)
    assert_allclose(np.exp(-width * z * z / 2) @ weighted[:, -1], np.sqrt(share) * np.exp(log), rtol=1e-11)


def test_coefficients_of_an_exponential():
    q, orders = np.array([0.2, 1.0]), np.arange(20)
    a, square = coefficients(np.exp, q, 128)
    expected = np.exp(q / 2)[:, None] * np.sqrt(q)[:, None] ** orders / np.sqrt(np.cumprod(np.maximum(orders, 1.0)))
    assert_allclose(a[:, :20], expected, rtol=1e-10, atol=1e-14)
    assert_allclose(square, np.exp(2 * q), rtol=1e-13)
    assert np.all(left_over(a, square) < 3e-15 * square)


def test_more_pairs_than_fit_one_block():
    q, c = np.linspace(0.01, 2, 2500), np.linspace(-0.9, 0.9, 2500)
    assert_allclose(gaussian_pair_mean(np.sin, q, 0.5, c), np.exp(-(q + 0.5) / 2) * np.sinh(c * np.sqrt(q / 2)), rtol=1e-10)


@pytest.mark.parametrize("q", [2e5, 1e9])
def test_a_pair_beyond_the_rule_only_of_a_curve_that_grows(q):
    with pytest.raises(ValueError, match="is beyond"):
        gaussian_pair_mean(np.tanh, 1.0, q, 0.5)
    arc = (np.sqrt(0.75) + 0.5 * (np.pi - np.arccos(0.5))) * q / (2 * np.pi)
    assert_allclose(gaussian_pair_mean(lambda u: np.maximum(u, 0), q, q, 0.5, np.inf), arc, rtol=1e-11)


@pytest.mark.parametrize("bad", [1.1, np.nan, -2])
def test_a_correlation_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="is not between -1 and 1"):
        gaussian_pair_mean(np.tanh, 1.0, 1.0, bad)
