"""Moments: scipy's, closed forms of laws, two values, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import trapezoid

from rmtlottery.spectra.bimodality import kurtosis, sarle
from tests.conftest import assert_mean


def quantiles(law, size=400_000):
    return law.ppf((np.arange(size) + 0.5) / size)


def test_moments_are_scipys():
    values = np.random.default_rng(0).gamma(2.0, size=301)
    fourth = stats.kurtosis(values, fisher=False)
    assert_allclose(kurtosis(values), fourth, rtol=1e-12)
    assert_allclose(sarle(values), (stats.skew(values) ** 2 + 1) / fourth, rtol=1e-12)


@pytest.mark.parametrize(("law", "fourth", "coefficient"), [(stats.norm, 3, 1 / 3), (stats.uniform, 1.8, 5 / 9)])
def test_laws(law, fourth, coefficient):
    assert_allclose(kurtosis(quantiles(law)), fourth, rtol=1e-3)
    assert_allclose(sarle(quantiles(law)), coefficient, rtol=1e-3)


@pytest.mark.parametrize("share", [1, 5, 9])
def test_two_values_are_1_whatever_their_shares(share):
    """Pearson's bound: kurtosis >= skewness^2 + 1, equal for two values."""
    values = np.concatenate([np.full(share, -0.3), np.full(10 - share, 0.9)])
    assert_allclose(sarle(values), 1, rtol=1e-12)
    assert_allclose(kurtosis(values), 1 / (share * (10 - share) / 100) - 3, rtol=1e-12)


def test_place_and_scale_do_not_matter():
    values = np.random.default_rng(0).gamma(2.0, size=(7, 43))
    assert_allclose(sarle(3 - 1e-3 * values), sarle(values), rtol=1e-9)
    assert_allclose(kurtosis(3 - 1e-3 * values), kurtosis(values), rtol=1e-9)


@pytest.mark.parametrize("values", [[], [2.0], [0.1] * 7, [1.0, np.nan], [1.0, np.inf]])
def test_refuses_what_has_no_shape(values):
    with pytest.raises(ValueError, match=f"^{len(values)} values, all equal or not all finite, have no shape"):
        sarle(values)


def test_sarle_of_known_laws():
    assert sarle(np.array([-2.0, 2.0, 2.0, -2.0])) == pytest.approx(1)
    quantiles = (np.arange(20000) + 0.5) / 20000
    assert sarle(quantiles) == pytest.approx(5 / 9, abs=1e-5)
    assert sarle(stats.expon.ppf(quantiles)) == pytest.approx((4 + 1) / 9, rel=0.01)


def test_sarle_of_a_gaussian_is_a_third():
    draws = np.random.default_rng(0).standard_normal((400, 2000))
    assert_mean([sarle(draw) for draw in draws], 1 / 3, rejects=1.02 / 3, bias=0.002)


def test_sarle_of_a_magnitude_mask_of_a_gaussian_is_near_two_values():
    """Kept with |w| > c: moments of the truncated law by quadrature."""
    c = 1.5
    grid = np.linspace(c, 12, 200001)
    pdf = stats.norm.pdf(grid)
    fourth, second = (trapezoid(grid**k * pdf, grid) / trapezoid(pdf, grid) for k in (4, 2))
    draws = np.random.default_rng(1).standard_normal((100, 20000))
    assert_mean([sarle(draw[np.abs(draw) > c]) for draw in draws], second**2 / fourth, rejects=0.97, bias=0.002)
