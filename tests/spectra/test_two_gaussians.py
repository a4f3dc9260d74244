"""Mixtures of two Gaussians: the likelihood by another optimiser, samples of the law, valleys by hand, bad input."""

from importlib import import_module

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.stats import norm

from rmtlottery.spectra.dip import dip
from rmtlottery.spectra.two_gaussians import two_gaussians, valley
from tests.conftest import assert_mean

module = import_module("rmtlottery.spectra.two_gaussians")  # its function has the same name

MEANS, STDS, SHARES = np.array([-1.0, 1.5]), np.array([0.5, 0.8]), np.array([0.3, 0.7])


def sample(size, seed, means=MEANS, stds=STDS, shares=SHARES):
    rng = np.random.default_rng(seed)
    which = (rng.random(size) > shares[0]).astype(int)
    return rng.normal(means[which], stds[which])


def log_likelihood(values, means, stds, shares):
    return np.log(np.dot(norm.pdf(values[:, None], means, stds), shares)).sum()


def by_simplex(values):
    """The parameters freed of their bounds, from those of the law."""

    def cost(free):
        share = 1 / (1 + np.exp(-free[4]))
        return -log_likelihood(values, free[:2], np.exp(free[2:4]), [share, 1 - share])

    start = [*MEANS, *np.log(STDS), np.log(SHARES[0] / SHARES[1])]
    return -minimize(cost, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-7, "fatol": 1e-7}).fun


@pytest.mark.parametrize(("size", "seed"), [(60, 0), (300, 1), (2000, 2)])
def test_gain_is_that_of_the_likeliest_fit(size, seed):
    values = sample(size, seed)
    one = norm.logpdf(values, values.mean(), values.std()).sum()
    found = two_gaussians(values)
    assert_allclose(found.bic_gain, 2 * (by_simplex(values) - one) - 3 * np.log(size), atol=0.02)
    assert_allclose(found.bic_gain, 2 * (log_likelihood(values, *found[:3]) - one) - 3 * np.log(size), atol=1e-6)


@pytest.mark.parametrize("part", [0, 1])
def test_parameters_of_the_law(part):
    fits = [two_gaussians(sample(1500, seed)) for seed in range(40)]
    for name, truth in zip(("means", "stds", "shares"), (MEANS, STDS, SHARES), strict=True):
        found = [getattr(fit, name)[part] for fit in fits]
        assert_mean(found, truth[part], rejects=1.08 * truth[part], bias=0.003)


@pytest.mark.parametrize("sign", [-1, 1])
def test_cuts_off_the_middle_find_what_it_does_not(sign, monkeypatch):
    """A cluster of 3 % of 300 values, on either side: from the middle alone EM ends in a likelihood lower by 8."""
    rng = np.random.default_rng(6)
    values = sign * np.where(rng.random(300) < 0.03, rng.normal(4, 0.3, 300), rng.standard_normal(300))
    best = two_gaussians(values).bic_gain
    monkeypatch.setattr(module, "CUTS", (0.5,))
    assert two_gaussians(values).bic_gain < best - 15


@pytest.mark.parametrize("shares", [(0.04, 0.96), (0.95, 0.05)])
def test_small_components_are_found(shares):
    found = two_gaussians(sample(3000, 3, np.array([-2.0, 2.0]), np.array([0.5, 0.5]), np.array(shares)))
    assert_allclose([*found.means, *found.shares], [-2, 2, *shares], atol=0.15)


def test_groups_are_as_good_as_values(monkeypatch):
    """30 000 values by 512 groups; where the outermost are single, so are two values far outside."""
    values, outside = sample(30_000, 4), np.concatenate([np.random.default_rng(0).standard_normal(3000), [40.0, 41.0]])
    grouped, alone = two_gaussians(values), two_gaussians(outside)
    assert_allclose(alone.means[1], 40.5, rtol=1e-6)
    monkeypatch.setattr(module, "GROUPS", 10**9)
    exact = two_gaussians(values)
    assert_allclose(np.ravel(grouped[:3]), np.ravel(exact[:3]), rtol=2e-3)
    assert_allclose(grouped.bic_gain, exact.bic_gain, atol=0.1)


def test_last_steps_see_what_a_group_straddles():
    """Two sharp values apart, their border inside a group."""
    found = two_gaussians(np.repeat([-1.0, 1.0], [10_007, 20_003]))
    assert_allclose(found.means, [-1, 1], rtol=1e-9)
    assert_allclose(found.shares, np.array([10_007, 20_003]) / 30_010, rtol=1e-9)
    assert_allclose(found.stds, 0.01 * 2 * np.sqrt(10_007 * 20_003) / 30_010, rtol=1e-9)
    assert found.valley == 1


def test_one_gaussian_is_better_alone():
    """The penalty of three more parameters, 3 log n, outweighs what two gain by chance, which is never less than nothing."""
    gains = np.array([two_gaussians(np.random.default_rng(seed).standard_normal(200)).bic_gain for seed in range(20)])
    assert np.all(gains > -3 * np.log(200))
    assert np.mean(gains < 0) > 0.9


def test_heavy_tails_gain_and_have_no_valley():
    found = two_gaussians(np.random.default_rng(5).standard_t(3, 4000))
    assert found.bic_gain > 500
    assert found.valley == 0


def test_uniform_law_has_a_valley_but_no_dip():
    """The trap that the docstring names."""
    values = (np.arange(20_001) + 0.5) / 20_001
    assert_allclose(two_gaussians(values).valley, 0.37, atol=0.02)
    assert dip(values).p_value == 1


@pytest.mark.parametrize("distance", [0.0, 1.0, 1.99])
def test_equal_parts_closer_than_two_stds_have_one_mode(distance):
    assert valley(np.array([0.5, 0.5]), np.array([0, distance]), np.array([1.0, 1.0])) == 0


def test_valley_by_hand():
    """Equal parts 6 stds apart: the middle has 2 exp(-9/2) of a peak, the peaks as good as alone."""
    half = np.array([0.5, 0.5])
    assert valley(half, np.array([0, 2.1]), np.ones(2)) > 0
    assert_allclose(valley(half, np.array([-3.0, 3.0]), np.ones(2)), 1 - 2 * np.exp(-4.5), rtol=1e-6)


def test_valley_is_below_the_lower_mode():
    """By a fine grid, the parts unequal: narrow and low against wide and high."""
    share, mean, std = np.array([0.05, 0.95]), np.array([-4.0, 1.0]), np.array([0.1, 1.5])
    x = np.linspace(-4, 1, 400_001)
    height = norm.pdf(x[:, None], mean, std) @ share
    low = height[:300_000].argmin()
    assert low > height[:low].argmax()
    expected = 1 - height[low] / min(height[:low].max(), height[low:].max())
    assert_allclose(valley(share, mean, std), expected, rtol=1e-3)
    assert_allclose(valley(share[::-1], -mean[::-1], std[::-1]), expected, rtol=1e-3)


def test_place_scale_and_mirror():
    values = sample(401, 6)
    one, other = two_gaussians(values), two_gaussians(10 - 1e-3 * values)
    assert_allclose(other.means, 10 - 1e-3 * np.array(one.means[::-1]), rtol=1e-7)
    assert_allclose(other.stds, 1e-3 * np.array(one.stds[::-1]), rtol=1e-3)
    assert_allclose([other.bic_gain, other.valley], [one.bic_gain, one.valley], rtol=1e-4)


def test_symmetric_sample_has_a_symmetric_fit():
    """Equal likelihoods are decided for the cut in the middle."""
    half = np.abs(np.random.default_rng(7).normal(1.0, 0.6, 250))
    found = two_gaussians(np.concatenate([half, -half]))
    assert_allclose(found.means[0], -found.means[1], rtol=1e-6)
    assert_allclose(found.shares, 0.5, rtol=1e-6)


def test_refuses_too_few_and_equal_values():
    with pytest.raises(ValueError, match=r"^5 values do not fix the 5 parameters of two Gaussians: give 6 or more"):
        two_gaussians([1, 2, 3, 4, 5])
    with pytest.raises(ValueError, match=r"^9 values, all equal or not all finite"):
        two_gaussians(np.ones(9))
