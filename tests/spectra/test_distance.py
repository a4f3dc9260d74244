"""The Kolmogorov-Smirnov distance against scipy's, a law with an atom, and bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest, norm, poisson

from rmtlottery.spectra.distance import ks_distance

ATOM = 0.4


def half_atom(x):
    """An atom of 0.4 at 0, and 0.6 spread evenly over (0, 1]."""
    return np.where(x < 0, 0.0, ATOM + (1 - ATOM) * np.clip(x, 0, 1))


@pytest.mark.parametrize("size", [1, 7, 500])
def test_without_ties_it_is_scipys(size):
    values = np.random.default_rng(size).normal(0.2, 1.3, size)
    assert_allclose(ks_distance(values, norm.cdf), kstest(values, "norm").statistic, rtol=1e-14)


def test_a_matching_atom_is_no_distance():
    """Zeros in the law's own proportion, the rest at the middles of their steps: half a step is all that is left."""
    values = np.concatenate([np.zeros(8), (np.arange(12) + 0.5) / 12])
    assert_allclose(ks_distance(values, half_atom), 0.5 / 20, rtol=1e-12)


@pytest.mark.parametrize("zeros", [0, 5, 11])
def test_an_atom_of_another_weight_counts_as_its_difference(zeros):
    """The gap at 0 grows until the first value v: law less empirical just below v, or empirical less law at v."""
    values = np.concatenate([np.zeros(zeros), (np.arange(20 - zeros) + 0.5) / (20 - zeros)])
    law = half_atom(0.5 / (20 - zeros))
    expected = law - zeros / 20 if zeros / 20 < ATOM else (zeros + 1) / 20 - law
    assert_allclose(ks_distance(values, half_atom), expected, rtol=1e-12)


def test_only_zeros_lack_what_lies_beyond_the_atom():
    assert_allclose(ks_distance(np.zeros(9), half_atom), 1 - ATOM, rtol=1e-14)


def test_a_discrete_law_is_compared_on_its_support():
    """Between integers both are flat, so the distance is the largest gap at an integer."""
    values = np.random.default_rng(5).poisson(2.5, 60)
    points = np.arange(40)
    expected = np.abs(np.mean(values[:, None] <= points, axis=0) - poisson.cdf(points, 2.3)).max()
    assert_allclose(ks_distance(values, lambda x: poisson.cdf(x, 2.3)), expected, rtol=1e-14)


def test_order_and_shape_do_not_matter():
    values = np.random.default_rng(6).normal(size=(3, 8))
    assert ks_distance(values, norm.cdf) == ks_distance(np.sort(values, axis=None)[::-1], norm.cdf)


@pytest.mark.parametrize("values", [[], [1.0, np.nan]])
def test_without_numbers_there_is_no_distance(values):
    with pytest.raises(ValueError, match="an empirical CDF needs one number or more"):
        ks_distance(values, norm.cdf)


def test_a_law_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="the cdf is NaN at 2 of the 4 points"):
        ks_distance([0.5, -0.5], lambda x: np.where(x < 0, np.nan, x))
