"""Tracy-Widom against Painleve II, published moments, its determinants, and random matrices with their edges."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad, solve_ivp
from scipy.linalg import eigvalsh_tridiagonal
from scipy.special import airy

from rmtlottery.spectra.tracy_widom import RANGES, TracyWidom, determinant, johnstone
from tests.conftest import assert_mean

PUBLISHED = {  # mean and variance [Bornemann 2010, table 10]
    1: (-1.2065335745820, 1.607781034581),
    2: (-1.7710868074, 0.8131947928329),
    4: (-2.306884893241, 0.5177237207726),
}
START, GRID = 9.0, np.linspace(-5, 6, 45)


@cache
def painleve():
    """Hastings and McLeod's q'' = s q + 2 q^3, q -> Ai(s), with the integrals from s to infinity of q, q^2, (x - s) q^2."""

    def flow(s, state):
        q, slope, _, square, _ = state
        return slope, s * q + 2 * q**3, -q, -(q**2), -square

    ai, slope = airy(START)[:2]
    begin = [ai, slope, quad(lambda x: airy(x)[0], START, START + 9)[0], slope**2 - START * ai**2, 0.0]
    found = solve_ivp(flow, (START, GRID[0]), begin, "DOP853", GRID[::-1], rtol=1e-13, atol=1e-18)
    return found.y[:, ::-1]


def by_painleve(beta):
    """cdf and pdf of [Tracy, Widom 1996] on GRID; beta = 4 at GRID/sqrt(2)."""
    q, _, first, square, double = painleve()
    root = np.exp(-double / 2)
    if beta == 1:
        cdf = root * np.exp(-first / 2)
        return cdf, cdf * (q + square) / 2
    if beta == 2:
        return root**2, root**2 * square
    return np.cosh(first / 2) * root, root * (np.cosh(first / 2) * square - np.sinh(first / 2) * q) / 2**0.5


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_painleve_agrees(beta):
    law, x = TracyWidom(beta), GRID / (2**0.5 if beta == 4 else 1)
    cdf, pdf = by_painleve(beta)
    assert_allclose(law.cdf(x), cdf, rtol=0, atol=1e-10)
    assert_allclose(law.pdf(x), pdf, rtol=0, atol=1e-10)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_published_moments(beta):
    mean, variance = PUBLISHED[beta]
    assert_allclose(TracyWidom(beta).mean(), mean, rtol=0, atol=5e-11)
    assert_allclose(TracyWidom(beta).var(), variance, rtol=0, atol=1e-12)


def test_published_values():
    """F2(-2) [Bornemann 2010]; quantiles of F1 [Johnstone 2001, table 1], rounded to two digits."""
    assert_allclose(TracyWidom(2).cdf(-2.0), 0.41322414250512257485, rtol=0, atol=1e-12)
    assert_allclose(TracyWidom(1).ppf([0.05, 0.5, 0.9, 0.95, 0.99]), [-3.18, -1.27, 0.45, 0.98, 2.02], rtol=0, atol=0.006)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_between_its_nodes_it_is_the_determinant(beta):
    x = np.random.default_rng(beta).uniform(*RANGES[beta], 60)
    assert_allclose(TracyWidom(beta).cdf(x), determinant(x, beta), rtol=0, atol=1e-12)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_nothing_is_lost_beyond_its_range(beta):
    assert_allclose(determinant(RANGES[beta], beta), [0, 1], rtol=0, atol=1e-14)
    assert determinant(20.0, beta) == 1
    low, high = RANGES[beta]
    law, x = TracyWidom(beta), [-np.inf, low - 1, high + 1, np.inf]
    assert law.cdf(x).tolist() == [0, 0, 1, 1]
    assert law.pdf(x).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_the_right_tail(beta):
    """1 - F1 -> exp(-2/3 s^(3/2))/(4 sqrt(pi) s^(3/4)), 1 - F2 -> exp(-4/3 s^(3/2))/(16 pi s^(3/2)), to order s^(-3/2)."""
    s = 5.0
    if beta == 1:
        tail, order = np.exp(-2 / 3 * s**1.5) / (4 * np.sqrt(np.pi) * s**0.75), 1
    else:
        tail, order = np.exp(-4 / 3 * s**1.5) / (16 * np.pi * s**1.5), 2
    found = 1 - TracyWidom(beta).cdf(s / (2**0.5 if beta == 4 else 1))
    if beta < 4:
        assert_allclose(found, tail, rtol=2 * order * s**-1.5)
    else:
        assert 0 < found < tail  # in the mean of det(1 -+ V) the trace of V cancels


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_ppf_undoes_the_cdf(beta):
    law, p = TracyWidom(beta), np.concatenate([[1e-12], np.linspace(0, 1, 31)[1:-1], [1 - 1e-11]]).reshape(1, 31)
    x = law.ppf(p)
    assert x.shape == p.shape
    assert np.all(np.diff(x) > 0)
    assert_allclose(law.cdf(x), p, rtol=0, atol=1e-13)
    assert law.ppf([0.0, 1.0]).tolist() == [-np.inf, np.inf]


def hermite_edge(beta, n, samples):
    """n^(1/6) (largest eigenvalue - 2 sqrt(n)) of the tridiagonal model [Dumitriu, Edelman 2002]."""
    rng, top = np.random.default_rng(beta), []
    for _ in range(samples):
        diagonal = rng.standard_normal(n) * 2**0.5 / beta**0.5
        off = np.sqrt(rng.chisquare(beta * np.arange(n - 1, 0, -1)) / beta)
        top.append(eigvalsh_tridiagonal(diagonal, off, select="i", select_range=(n - 1, n - 1))[0])
    return n ** (1 / 6) * (np.array(top) - 2 * n**0.5)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_random_symmetric_matrices_have_this_edge(beta):
    """That model's beta = 4 is 2^(1/6) narrower than [Tracy, Widom 1996]."""
    law, unit = TracyWidom(beta), 2 ** (1 / 6) if beta == 4 else 1.0
    edge = hermite_edge(beta, 300, 1500) * unit
    assert_mean(edge, law.mean(), rejects=law.mean() / 2 ** (1 / 6), bias=0.02)
    assert_mean((edge - edge.mean()) ** 2, law.var(), rejects=1.4 * law.var(), bias=0.02)


def wishart_edge(m, n, samples):
    rng = np.random.default_rng(m)
    draws = (rng.standard_normal((250, m, n)) for _ in range(samples // 250))
    return np.concatenate([np.linalg.eigvalsh(W @ W.swapaxes(1, 2))[:, -1] for W in draws])


@pytest.mark.parametrize(("m", "n"), [(20, 120), (40, 60)])
def test_johnstones_edge(m, n):
    law, (centre, scale) = TracyWidom(1), johnstone(m, n)
    z = (wishart_edge(m, n, 8000) - centre) / scale
    unshifted = law.mean() - ((np.sqrt(n) + np.sqrt(m)) ** 2 - centre) / scale
    assert_mean(z, law.mean(), rejects=2 * law.mean() - unshifted, bias=0.04)
    level = law.ppf(0.95)
    assert_mean(z > level, 0.05, rejects=0.08, bias=0.005)


def test_johnstone_is_not_symmetric():
    """Both are the law of one edge: they differ by a part of its scale that falls as size^(-1/3)."""
    gaps = []
    for factor in (1, 64):
        (one, scale), (other, _) = johnstone(20 * factor, 50 * factor), johnstone(50 * factor, 20 * factor)
        gaps.append((other - one) / scale)
    assert -0.2 < gaps[0] < 0
    assert_allclose(gaps[1], gaps[0] / 4, rtol=0.05)


def test_johnstone_of_round_numbers():
    centre, scale = johnstone(9, 17)
    assert_allclose([centre, scale], [49, 7 * (1 / 4 + 1 / 3) ** (1 / 3)], rtol=1e-14)


@pytest.mark.parametrize("beta", [0, 3, 1.5])
def test_other_betas_are_refused(beta):
    with pytest.raises(ValueError, match=f"beta = {beta} has no determinant here: give 1"):
        TracyWidom(beta)


def test_bad_questions():
    with pytest.raises(ValueError, match="1 of the 2 points x are NaN"):
        TracyWidom().cdf([0.0, np.nan])
    with pytest.raises(ValueError, match=r"p = -0.1 is no probability"):
        TracyWidom().ppf(-0.1)
    with pytest.raises(ValueError, match="n = 1 is not at least 2"):
        johnstone(5, 1)
