"""The scalar Dyson equations against Marchenko-Pastur, the general solver, a published edge equation and simulation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.dyson import DysonLaw
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.rank_one_profile import RankOneLaw
from tests.conftest import assert_mean


def factors(m=30, n=50):
    rng = np.random.default_rng(2)
    return np.exp(rng.normal(0, 0.8, m)), rng.uniform(0.2, 3, n) / n


@pytest.mark.parametrize(("m", "n"), [(300, 500), (400, 400), (1, 3), (2, 400)])
def test_equal_factors_are_marchenko_pastur(m, n):
    law, exact = RankOneLaw(np.full(m, 1.7), np.full(n, 1 / n)), MarchenkoPastur(m / n, 1.7)
    assert_allclose(law.edges, exact.edges, rtol=1e-13, atol=1e-15)
    x = np.linspace(*exact.edges, 202)[1:-1]
    found = law.at(x + 0j)
    assert_allclose(found.trace.imag / np.pi / m, exact.pdf(x), rtol=3e-12)
    assert_allclose(found.below / m, exact.cdf(x), atol=1e-13)


def test_many_factors_are_the_general_equation():
    r, c = factors()
    law, general = RankOneLaw(r, c), DysonLaw(np.outer(r, c))
    assert_allclose(law.edges, general.edges, rtol=1e-11)
    x = np.concatenate([np.linspace(*law.edges, 60)[1:-1], [2j + 1, 0.3 + 0.01j]])
    for one, other in zip(law.at(x), general.at(x), strict=True):
        assert_allclose(one, other, rtol=1e-9)


def test_upper_edge_of_equal_rows_is_that_of_a_sample_covariance():
    """x(M) = -1/M + sum_j c_j / (1 + c_j M / m): its minimum is the edge [Silverstein and Choi 1995]; m equal rows."""
    _, c = factors()
    m = 30
    M = -np.linspace(1e-4, 1 - 1e-4, 400_001) / c.max()
    x = sum(part / (1 + part * M) for part in c) - m / M
    assert_allclose(RankOneLaw(np.ones(m), c).edges[1], x.min(), rtol=1e-9)


def test_resolvent_of_large_matrices():
    r, c = factors(120, 200)
    z, rng = 0.8 + 0.3j, np.random.default_rng(9)
    root = np.sqrt(np.outer(r, c))
    eigenvalues = np.linalg.svd(rng.standard_normal((120, *root.shape)) * root, compute_uv=False) ** 2
    samples = (1 / (eigenvalues - z)).mean(axis=1)
    expected = RankOneLaw(r, c).at(np.array([z])).trace[0] / 120
    assert_mean(samples.real, expected.real, rejects=1.08 * expected.real, bias=2e-3 * abs(expected))
    assert_mean(samples.imag, expected.imag, rejects=1.05 * expected.imag, bias=2e-3 * abs(expected))


def test_gap_between_two_classes_holds_the_count_of_the_smaller():
    law = RankOneLaw(np.repeat([1.0, 100.0], [10, 30]), np.full(70, 1 / 70))
    found = law.at(np.array([4.0, 8.0]) + 0j)
    assert_allclose(found.below, 10, atol=1e-9)
    assert_allclose(found.trace.imag, 0, atol=1e-9)


def test_heavy_rows_and_columns_have_edges_of_a_spike():
    """One row of variance far above n small ones: its eigenvalue is sum_j c_j r up to the bulk's small part."""
    law = RankOneLaw(np.r_[np.ones(20), 1e6], np.full(2000, 1 / 2000))
    assert law.edges[1] == pytest.approx(1e6 * (1 + 1 / np.sqrt(2000)) ** 2, rel=1e-4)
