"""Fuss-Catalan against exact rationals, quadrature, Marchenko-Pastur, its own functional equation and random products."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from rmtlottery.spectra.fuss_catalan import FussCatalan
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from tests.conftest import assert_mean

ORDERS = [0.4, 1, 1.5, 2, 3, 7]


def integral(law, weight, low=0.0, high=None):
    """Of pdf x weight, in s with x = s^(order + 1): smooth at 0, where the pdf is not."""
    power = law.order + 1
    ends = [(end / law.edge) ** (1 / power) for end in (low, law.edge if high is None else high)]

    def smooth(v):
        s = 1 - v**2 if high is None else v  # and at the edge, a square root
        x = law.edge * s**power
        return float(law.pdf(x)) * weight(x) * power * x / s * (2 * v if high is None else 1) if 0 < s < 1 else 0.0

    start, stop = (0.0, np.sqrt(1 - ends[0])) if high is None else ends
    return quad(smooth, start, stop, epsabs=1e-12, epsrel=1e-11, limit=200)[0]


@pytest.mark.parametrize("order", [1, 2, 3, 7, 30])
def test_edges_and_moments_are_rationals(order):
    law = FussCatalan(order)
    assert_allclose(law.edge, float(Fraction((order + 1) ** (order + 1), order**order)), rtol=1e-13)
    for k in range(7):
        exact = Fraction(comb((order + 1) * k, k), order * k + 1)
        assert law.moment(k) == float(exact)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("k", [0, 1, 2, 4])
def test_moments_are_those_of_the_density(order, k):
    law = FussCatalan(order)
    assert_allclose(integral(law, lambda x: x**k), law.moment(k), rtol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_the_cdf_is_the_integral_of_the_density(order):
    law = FussCatalan(order)
    for share in (1e-6, 0.01, 0.3, 0.8):
        assert_allclose(law.cdf(share * law.edge), integral(law, lambda x: 1.0, high=share * law.edge), rtol=0, atol=1e-10)


def test_order_1_is_marchenko_pastur():
    law, known = FussCatalan(1), MarchenkoPastur(1.0)
    x = np.concatenate([np.geomspace(1e-20, 0.1, 20), np.linspace(0.2, 3.999, 20)])
    assert_allclose(law.pdf(x), known.pdf(x), rtol=1e-11)
    assert_allclose(law.cdf(x), known.cdf(x), rtol=1e-13)


def test_order_2_in_closed_form():
    """By Cardano [Penson, Zyczkowski 2011]."""
    x = np.array([0.01, 0.5, 27 / 8, 6.0])
    r = (27 + 3 * np.sqrt(81 - 12 * x)) ** (1 / 3)
    known = 2 ** (1 / 3) * 3**0.5 / (12 * np.pi) * (2 ** (1 / 3) * r**2 - 6 * x ** (1 / 3)) / (x ** (2 / 3) * r)
    assert_allclose(FussCatalan(2).pdf(x), known, rtol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_the_density_is_the_jump_of_the_moments_generator(order):
    """B = 1 + B^(order+1)/x, solved by Newton from above the axis: the density is Im B/(pi x)."""
    law = FussCatalan(order)
    for x in law.edge * np.array([0.05, 0.4, 0.9]):
        B = 1.0 + 0j
        for height in [*np.geomspace(10 * law.edge, 1e-9, 80), 0.0]:
            z = 1 / (x - 1j * height)
            for _ in range(60):
                B -= (B - 1 - z * B ** (order + 1)) / (1 - z * (order + 1) * B**order)
        assert_allclose(law.pdf(x), abs(B.imag) / (np.pi * x), rtol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_ppf_undoes_the_cdf(order):
    law = FussCatalan(order)
    p = np.array([[1e-20, 1e-9, 0.02, 0.5], [0.9, 0.999, 1 - 1e-9, 1.0]])
    x = law.ppf(p)
    assert x.shape == p.shape
    assert_allclose(law.cdf(x), p, rtol=1e-12)
    assert law.ppf(0.0) == 0
    assert law.ppf(1.0) == law.edge


@pytest.mark.parametrize("order", ORDERS)
def test_the_hard_edge(order):
    """With share = 1/(order+1): pdf -> sin(pi share)/pi x^(share - 1), cdf -> sin(pi share)/(pi share) x^share."""
    law, x = FussCatalan(order), 1e-15 ** ((order + 1) / 2)
    share = 1 / (order + 1)
    assert_allclose(law.pdf(x) * x ** (1 - share), np.sin(np.pi * share) / np.pi, rtol=1e-6)
    assert_allclose(law.cdf(x) / x**share, np.sin(np.pi * share) / (np.pi * share), rtol=1e-6)
    assert law.pdf(0.0) == np.inf


@pytest.mark.parametrize("order", ORDERS)
def test_beyond_its_ends(order):
    law = FussCatalan(order)
    assert law.cdf([-1.0, 0.0, law.edge, 2 * law.edge, np.inf]).tolist() == [0, 0, 1, 1, 1]
    assert law.pdf([-1.0, law.edge, 2 * law.edge]).tolist() == [0, 0, 0]


@pytest.mark.parametrize("order", [2, 3])
def test_products_of_random_matrices_follow_it(order):
    rng, law, side, nets = np.random.default_rng(order), FussCatalan(order), 60, 250
    product = np.eye(side)
    for _ in range(order):
        product = product @ rng.standard_normal((nets, side, side)) / side**0.5
    values = np.linalg.svd(product, compute_uv=False) ** 2
    for p in (0.2, 0.4):
        x = law.ppf(p)
        assert_mean(np.mean(values < x, axis=1), p, rejects=FussCatalan(order + 0.15).cdf(x), bias=0.002)


@pytest.mark.parametrize("order", [0, -1.0, np.nan])
def test_an_order_is_positive(order):
    with pytest.raises(ValueError, match=r"order = .* is not a finite number above 0"):
        FussCatalan(order)


def test_bad_questions():
    law = FussCatalan(2)
    with pytest.raises(ValueError, match="1 of the 1 points x are NaN"):
        law.pdf(np.nan)
    with pytest.raises(ValueError, match=r"p = 2\.0 is no probability"):
        law.ppf(2)
    with pytest.raises(ValueError, match=r"k = 1\.5 is not a whole number"):
        law.moment(1.5)
