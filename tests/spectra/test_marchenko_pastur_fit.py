"""The fit against its own law, random matrices with and without spikes, both orientations, and bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.distance import ks_distance
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.marchenko_pastur_fit import fit_marchenko_pastur
from tests.conftest import assert_mean

SHAPES = [(90, 240), (240, 90), (130, 130)]
VARIANCE = 2.3


def matrix(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape) * np.sqrt(VARIANCE / shape[1])


def eigenvalues(W):
    return np.linalg.svd(W, compute_uv=False) ** 2


@pytest.mark.parametrize("shape", SHAPES)
def test_the_moment_is_the_frobenius_norm(shape):
    W = matrix(shape)
    fit = fit_marchenko_pastur(eigenvalues(W), shape)
    assert_allclose(fit.law.variance, np.sum(W**2) / shape[0], rtol=1e-12)
    assert fit.law.ratio == shape[0] / shape[1]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by", ["moment", "median"])
def test_quantiles_of_a_law_give_it_back(shape, by):
    """At the middles of k equal steps of the continuous part: half a step of distance, and no more."""
    law, k = MarchenkoPastur(shape[0] / shape[1], VARIANCE), min(shape)
    fit = fit_marchenko_pastur(law.ppf(law.atom + (1 - law.atom) * (np.arange(k) + 0.5) / k), shape, by)
    assert_allclose(fit.law.variance, VARIANCE, rtol=1e-3)
    assert_allclose(fit.ks, 0.5 / max(shape[0], k), rtol=0.3)
    assert fit.beyond == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_ks_is_of_all_the_eigenvalues_of_the_long_side(shape):
    W = matrix(shape, seed=1)
    fit = fit_marchenko_pastur(eigenvalues(W), shape)
    everything = np.maximum(np.linalg.eigvalsh(W @ W.T), 0)
    everything[everything < 1e-12] = 0
    assert_allclose(fit.ks, ks_distance(everything, fit.law.cdf), rtol=1e-9)
    assert fit.ks < 3 / shape[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_spikes_move_the_moment_and_not_the_median(shape):
    """Four of 20 times the variance: a moment of (4 x 20)/m more; the median shifts by 2 of its ranks."""
    W = matrix(shape, seed=2)
    values = np.sort(eigenvalues(W))
    values[-4:] = 20 * VARIANCE * (1 + np.sqrt(shape[0] / shape[1])) ** 2
    moment, median = (fit_marchenko_pastur(values, shape, by) for by in ("moment", "median"))
    assert_allclose(median.law.variance, VARIANCE, rtol=0.08)
    assert moment.law.variance > 1.5 * VARIANCE
    assert median.beyond == 4
    assert median.ks < moment.ks / 2


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_the_median_finds_the_variance_of_the_entries(shape):
    found = [fit_marchenko_pastur(eigenvalues(matrix(shape, seed)), shape, "median").law.variance for seed in range(60)]
    assert_mean(found, VARIANCE, rejects=1.02 * VARIANCE, bias=0.003 * VARIANCE)


def test_what_rounding_made_of_a_zero_is_one():
    fit = fit_marchenko_pastur([-1e-12, 1.0, 2.0], (3, 9))
    assert_allclose(fit.ks, fit_marchenko_pastur([0.0, 1.0, 2.0], (3, 9)).ks, rtol=1e-9)


def test_a_list_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"9 eigenvalues of a matrix of shape \(9, 4\): give the 4"):
        fit_marchenko_pastur(np.ones(9), (9, 4))


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, np.nan], [1.0, np.inf], [-0.1, 1.0]])
def test_what_is_no_spectrum_is_refused(values):
    with pytest.raises(ValueError, match="give finite ones, none < 0, not all 0"):
        fit_marchenko_pastur(values, (2, 5))


def test_no_median_of_mostly_zeros():
    with pytest.raises(ValueError, match="75% of the eigenvalues are 0, and so is their median: fit by='moment'"):
        fit_marchenko_pastur([0, 0, 0, 1.0], (4, 6), by="median")


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="by = 'mode' is not a way to fit: 'moment' or 'median'"):
        fit_marchenko_pastur([1.0, 2.0], (2, 5), by="mode")


@pytest.mark.parametrize("shape", [(0, 5), (2, -5), (2.5, 5)])
def test_sides_are_whole(shape):
    with pytest.raises(ValueError, match=r"a side of shape = .* is not"):
        fit_marchenko_pastur([1.0, 2.0], shape)
