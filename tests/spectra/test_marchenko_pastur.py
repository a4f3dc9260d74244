"""Marchenko-Pastur against quadrature, its moments, the duality of W and W^T, limits in the ratio, and random matrices."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest

from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from tests.conftest import assert_mean

RATIOS = [1e-6, 1e-3, 0.06, 0.07, 0.3, 0.99, 1.0, 1.01, 1.9, 40.0, 1e6]
VARIANCE = 1.7


@mp.workdps(20)
def quadrature(law, x, weight=lambda y: 1):
    """Of pdf x weight from the lower edge to x, in t with y = low + (high - low) sin^2(t/2), at 20 digits."""
    low, high = (mp.mpf(law.variance) * (1 + sign * mp.sqrt(mp.mpf(law.ratio))) ** 2 for sign in (-1, 1))
    end = 2 * mp.asin(mp.sqrt(min(max((x - low) / (high - low), mp.mpf(0)), mp.mpf(1))))

    def density(t):
        y = low + (high - low) * mp.sin(t / 2) ** 2
        flow = (high - low) ** 2 * mp.sin(t) ** 2 / 4 if low else y * (high - low) * mp.cos(t / 2) ** 2
        return weight(y) * flow / (2 * mp.pi * law.variance * law.ratio * y)

    cuts = [mp.mpf(0), *(end * mp.mpf(2) ** -k for k in range(8, -1, -1))]
    return float(mp.quad(density, cuts, maxdegree=4))


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_cdf_is_the_integral_of_the_density(ratio):
    law = MarchenkoPastur(ratio, VARIANCE)
    low, high = law.edges
    for x in low + (high - low) * np.array([1e-6, 0.05, 0.6, 1 - 1e-7]):
        assert_allclose(law.cdf(x), law.atom + quadrature(law, mp.mpf(x)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_pdf_is_the_slope_of_the_cdf(ratio):
    law = MarchenkoPastur(ratio, VARIANCE)
    low, high = law.edges
    x = low + (high - low) * np.array([0.02, 0.3, 0.6, 0.95])
    step = 1e-3 * (high - low)
    slope = (8 * (law.cdf(x + step) - law.cdf(x - step)) - law.cdf(x + 2 * step) + law.cdf(x - 2 * step)) / (12 * step)
    assert_allclose(law.pdf(x), slope, rtol=2e-5)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("k", [1, 4])
def test_moments_are_those_of_the_density(ratio, k):
    law = MarchenkoPastur(ratio, VARIANCE)
    found = quadrature(law, mp.mpf(law.edges[1]), lambda y: y**k)
    assert_allclose(law.moment(k), found, rtol=1e-12)


def test_moments_in_closed_form():
    law = MarchenkoPastur(0.4, 2.0)
    assert law.moment(0) == 1
    assert law.mean == law.moment(1) == 2
    assert_allclose([law.moment(2), law.moment(3)], [4 * 1.4, 8 * (1 + 3 * 0.4 + 0.4**2)], rtol=1e-14)


@pytest.mark.parametrize("ratio", [0.02, 0.3, 0.999])
def test_the_transpose_has_the_same_nonzero_eigenvalues(ratio):
    """W^T is (n, m): its entries of variance v/n are (v m/n)/m."""
    wide, tall = MarchenkoPastur(ratio, VARIANCE), MarchenkoPastur(1 / ratio, VARIANCE * ratio)
    assert_allclose(tall.edges, wide.edges, rtol=1e-12)
    assert_allclose(tall.atom, 1 - ratio, rtol=1e-12)
    x = np.linspace(wide.edges[0], wide.edges[1], 9)[1:-1]
    assert_allclose(tall.pdf(x), ratio * wide.pdf(x), rtol=1e-11)
    assert_allclose(tall.cdf(x), 1 - ratio + ratio * wide.cdf(x), rtol=1e-12)


def test_ratio_1_is_a_quarter_circle_squared():
    """cdf = (t + sin t)/pi at x = 4 sin^2(t/2), and the density is 1/(pi sqrt(x)) near 0."""
    law, t = MarchenkoPastur(1.0), np.array([1e-12, 1e-5, 0.4, 1.5, 3.0])
    x = 4 * np.sin(t / 2) ** 2
    assert_allclose(law.cdf(x), (t + np.sin(t)) / np.pi, rtol=1e-14)
    assert_allclose(law.pdf(x[:2]) * np.sqrt(x[:2]) * np.pi, 1, rtol=1e-10)
    assert law.pdf(0.0) == np.inf
    assert law.edges == (0.0, 4.0)


def test_a_small_ratio_is_a_semicircle():
    """(x - 1)/sqrt(ratio) -> the semicircle on (-2, 2), with a correction of order sqrt(ratio)."""
    law, u = MarchenkoPastur(1e-6), np.array([-1.9, -0.7, 0.3, 1.5])
    semicircle = 0.5 + u * np.sqrt(4 - u**2) / (4 * np.pi) + np.arcsin(u / 2) / np.pi
    assert_allclose(law.cdf(1 + 1e-3 * u), semicircle, atol=1e-3)
    assert_allclose(law.pdf(1 + 1e-3 * u) * 1e-3, np.sqrt(4 - u**2) / (2 * np.pi), rtol=3e-3)


@pytest.mark.parametrize("ratio", RATIOS)
def test_ppf_undoes_the_cdf(ratio):
    law = MarchenkoPastur(ratio, VARIANCE)
    p = np.concatenate([[0.0, 1e-12], np.linspace(0, 1, 41)[1:-1], [1 - 1e-9, 1.0]]).reshape(1, 43)
    x = law.ppf(p)
    assert x.shape == p.shape
    assert np.all(np.diff(x) >= 0)
    assert_allclose(law.cdf(x), np.maximum(p, law.atom), rtol=0, atol=1e-12)
    assert np.all(x[p <= law.atom] == (0.0 if law.atom else law.edges[0]))
    assert x[0, -1] == law.edges[1]
    assert law.ppf(law.atom) == (0.0 if law.atom else law.edges[0])


@pytest.mark.parametrize("ratio", RATIOS)
def test_edges_and_beyond(ratio):
    law = MarchenkoPastur(ratio, VARIANCE)
    low, high = law.edges
    assert_allclose([low + high, high - low], [2 * VARIANCE * (1 + ratio), 4 * VARIANCE * np.sqrt(ratio)], rtol=1e-9)
    below, above = low - 0.01 * (high - low), high + 0.01 * (high - low)
    assert_allclose(law.pdf([below, above]), 0)
    assert_allclose(law.cdf([-np.inf, -1e-9, high, above, np.inf]), [0, 0, 1, 1, 1], atol=1e-15)
    assert_allclose(law.cdf(max(below, 0.0)), law.atom, atol=1e-15)


def test_the_lower_edge_keeps_its_digits_near_ratio_1():
    """There (1 - sqrt(ratio))^2 = (1 - ratio)^2/4 to leading order, where sqrt(ratio) rounds to 1."""
    assert_allclose(MarchenkoPastur(1 - 2.0**-53).edges[0], 2.0**-108, rtol=1e-11)


@pytest.mark.parametrize("shape", [(60, 150), (150, 60)])
def test_random_matrices_follow_it(shape):
    m, n = shape
    rng, law = np.random.default_rng(4), MarchenkoPastur(m / n, VARIANCE)
    W = rng.standard_normal((200, m, n)) * np.sqrt(VARIANCE / n)
    values = np.linalg.svd(W, compute_uv=False) ** 2
    near = MarchenkoPastur(m / n * 1.05, VARIANCE)
    x = law.ppf(law.atom + (1 - law.atom) * 0.9)
    share = values.shape[1] / m * np.mean(values > x, axis=1)
    assert_mean(share, 1 - law.cdf(x), rejects=1 - near.cdf(x), bias=0.1 / n)


def test_quantiles_of_uniform_numbers_are_its_samples():
    law = MarchenkoPastur(0.5, 3.0)
    sample = law.ppf(np.random.default_rng(8).uniform(size=400))
    assert kstest(sample, law.cdf).pvalue > 1e-3
    assert kstest(sample, MarchenkoPastur(0.5, 3.6).cdf).pvalue < 1e-3


@pytest.mark.parametrize(("ratio", "variance"), [(0.0, 1.0), (-0.5, 1.0), (np.nan, 1.0), (0.5, 0.0), (0.5, np.inf)])
def test_parameters_are_positive(ratio, variance):
    with pytest.raises(ValueError, match=r"(ratio|variance) = .* is not a finite number above 0"):
        MarchenkoPastur(ratio, variance)


def test_bad_questions():
    law = MarchenkoPastur(0.5)
    with pytest.raises(ValueError, match="1 of the 2 points x are NaN"):
        law.cdf([1.0, np.nan])
    with pytest.raises(ValueError, match=r"p = 1.5 is no probability"):
        law.ppf(1.5)
    with pytest.raises(ValueError, match="k = -1 is not at least 0"):
        law.moment(-1)
