"""Gaussian averages about a mean: closed forms, mpmath, Mehler's series, bad input."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf, ndtr

from rmtlottery import meanfield
from rmtlottery.meanfield.gaussian import density
from tests.conftest import assert_mean

MEAN = np.array([-300.0, -7.0, -0.3, 0.0, 1e-3, 2.0, 40.0])[:, None]
VARIANCE = np.array([0.0, 1e-8, 0.04, 1.0, 30.0, 1e3, 1e5])


def test_closed_forms_at_every_mean_and_variance():
    assert_allclose(meanfield.shifted_mean(lambda u: u**2, MEAN, VARIANCE), MEAN**2 + VARIANCE, rtol=1e-12)
    expected = erf(MEAN / np.sqrt(1 + 2 * VARIANCE))
    assert_allclose(meanfield.shifted_mean(erf, MEAN, VARIANCE), expected, rtol=1e-10, atol=1e-14)
    bell = np.exp(-(MEAN**2) / (1 + 2 * VARIANCE)) / np.sqrt(1 + 2 * VARIANCE)
    reached = np.abs(MEAN) < 8 * np.sqrt(VARIANCE)
    found = meanfield.shifted_mean(lambda u: np.exp(-(u**2)), MEAN, VARIANCE)
    assert_allclose(found[reached], bell[reached], rtol=1e-10)


def test_a_kink_at_zero_is_between_two_nodes():
    spread = np.sqrt(VARIANCE[1:])
    expected = MEAN * ndtr(MEAN / spread) + spread * density(MEAN / spread)
    found = meanfield.shifted_mean(lambda u: np.maximum(u, 0), MEAN, VARIANCE[1:])
    assert_allclose(found, expected, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 0.3), (0.7, 19.0), (-5.0, 2.0), (30.0, 900.0), (1.0, 8e4)])
def test_tanh_and_its_square_against_mpmath(mean, variance):
    spread = mp.sqrt(variance)
    turns = [(d - mean) / spread for d in (-20, -5, -1, 0, 1, 5, 20)]
    points = sorted({*(mp.mpf(z) for z in (-12, -4, 4, 12)), *(z for z in turns if abs(z) < 12)})
    with mp.workdps(20):
        t, t2 = (mp.quad(lambda z, n=n: mp.tanh(mean + spread * z) ** n * mp.npdf(z), points) for n in (1, 2))
    found = meanfield.shifted_means(lambda u: ((tanh := np.tanh(u)), tanh**2), mean, variance)
    assert found.shape == (2,)
    assert_allclose(found, [float(t), float(t2)], rtol=1e-10, atol=1e-12)


def test_without_variance_it_is_the_function():
    mean = np.linspace(-3, 3, 601)  # more than one chunk
    assert_allclose(meanfield.shifted_mean(np.tanh, mean, 0.0), np.tanh(mean), rtol=1e-13)
    assert_allclose(meanfield.shifted_coefficients(np.tanh, mean, 0.0, 4)[1:], 0, atol=1e-13)


def test_about_zero_it_is_the_gaussian_mean():
    q = np.array([1e-6, 0.7, 50.0])
    assert_allclose(meanfield.shifted_mean(lambda u: np.tanh(u) ** 2, 0, q), meanfield.activation("tanh").V(q), rtol=1e-11)


def test_elements_in_different_chunks_do_not_mix():
    mean, variance = np.linspace(-2, 2, 31)[:, None], np.linspace(0, 9, 17)
    whole = meanfield.shifted_coefficients(np.tanh, mean, variance, 3)
    assert whole.shape == (3, 31, 17)
    for i, j in [(0, 0), (12, 16), (30, 3)]:
        assert_allclose(whole[:, i, j], meanfield.shifted_coefficients(np.tanh, mean[i, 0], variance[j], 3), rtol=1e-13)


def test_coefficients_of_a_cube():
    m, s = 0.6, 1.3  # (m + s z)^3 = m^3 + 3 m s^2 + 3 (m^2 s + s^3) He1 + 3 m s^2 He2 + s^3 He3
    expected = [m**3 + 3 * m * s**2, 3 * (m**2 * s + s**3), 3 * m * s**2 * np.sqrt(2), s**3 * np.sqrt(6), 0]
    assert_allclose(meanfield.shifted_coefficients(lambda u: u**3, m, s**2, 5), expected, atol=1e-12)


def test_first_coefficient_is_the_mean_slope():
    mean, variance = np.array([0.0, -1.0, 3.0]), np.array([0.2, 4.0, 900.0])
    slope = meanfield.shifted_mean(meanfield.activation("tanh").slope, mean, variance)
    first = meanfield.shifted_coefficients(np.tanh, mean, variance, 2)[1]
    assert_allclose(first, np.sqrt(variance) * slope, rtol=1e-10)  # Stein


def test_coefficients_give_the_covariance_of_unequal_units():
    mean, variance, rho = np.array([0.8, -0.3]), np.array([0.5, 2.0]), 0.7
    a = meanfield.shifted_coefficients(np.tanh, mean, variance, 16)
    series = np.sum(a[1:, 0] * a[1:, 1] * rho ** np.arange(1, 16))
    z = np.random.default_rng(3).standard_normal((2, 400_000))
    z[1] = rho * z[0] + np.sqrt(1 - rho**2) * z[1]
    x = np.tanh(mean[:, None] + np.sqrt(variance)[:, None] * z) - a[0][:, None]
    assert_mean(x[0] * x[1], series, rejects=1.1 * series)


def test_squared_coefficients_add_up_to_the_variance():
    a = meanfield.shifted_coefficients(np.tanh, 0.4, 0.5, 40)
    mean, square = meanfield.shifted_means(lambda u: (np.tanh(u), np.tanh(u) ** 2), 0.4, 0.5)
    assert_allclose(np.sum(a[1:] ** 2), square - mean**2, rtol=1e-8)


def test_no_elements_are_no_error():
    assert meanfield.shifted_mean(np.tanh, np.zeros((0, 3)), 1.0).shape == (0, 3)
    assert meanfield.shifted_coefficients(np.tanh, [], 1.0, 5).shape == (5, 0)


@pytest.mark.parametrize(("mean", "variance"), [(0, -0.1), (0, [1.0, np.nan]), (np.inf, 1), (0, 2e5)])
def test_bad_means_and_variances_are_refused(mean, variance):
    with pytest.raises(ValueError, match=r"means are to be finite, and variances from 0 to 100000"):
        meanfield.shifted_mean(np.tanh, mean, variance)


def test_no_terms_are_refused():
    with pytest.raises(ValueError, match="terms = 0 is not at least 1"):
        meanfield.shifted_coefficients(np.tanh, 0, 1, 0)


@pytest.mark.parametrize("variance", [1e-6, 0.3, 40.0, 1e4])
@pytest.mark.parametrize("mean", [-2.5, -1.0, 0.0, 0.4, 3.0])
def test_hard_tanh_has_its_kinks_at_its_edges(mean, variance):
    """Closed forms: of the slope P(|h| < 1), of h clipped the truncated normal's mean."""
    act, root = meanfield.activation("hard_tanh"), np.sqrt(variance)
    low, high = (-1 - mean) / root, (1 - mean) / root
    inside = ndtr(high) - ndtr(low)
    between = mean * inside + root * (density(low) - density(high)) - ndtr(low) + ndtr(-high)
    found = meanfield.shifted_means(lambda h: (act.slope(h), act.phi(h)), mean, variance, act.edges)
    assert found == pytest.approx([inside, between], abs=1e-12)


@pytest.mark.parametrize("q", [0.05, 0.77, 41.0, 1e4])
def test_of_a_centred_hard_tanh_they_are_its_closed_forms(q):
    act = meanfield.activation("hard_tanh")
    found = meanfield.shifted_means(lambda h: (act.phi(h) ** 2, act.slope(h) ** 2), 0.0, q, act.edges)
    assert_allclose(found, [act.V(q), act.D(q)], rtol=1e-12)
