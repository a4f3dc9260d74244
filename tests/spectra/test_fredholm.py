"""Eigenvalues of integral operators with a known spectrum, and determinants with a known value."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import airy

from rmtlottery.spectra.fredholm import kernel_eigenvalues


def airy_kernel(x, y):
    (a, a_slope, *_), (b, b_slope, *_) = airy(x), airy(y)
    gap = np.where(x == y, 1.0, x - y)
    return np.where(x == y, a_slope**2 - x * a**2, (a * b_slope - a_slope * b) / gap)


def test_a_product_has_one_eigenvalue():
    """exp(x + y) on (low, high): the integral of exp(2 x), here for several intervals at once."""
    low, high = np.array([-1.0, 0.5]), np.array([[1.0], [2.0], [3.5]])
    found = kernel_eigenvalues(lambda x, y: np.exp(x + y), low, high, 24)
    assert found.shape == (3, 2, 24)
    assert_allclose(found[..., -1], (np.exp(2 * high) - np.exp(2 * low)) / 2, rtol=1e-13)
    assert_allclose(found[..., :-1], 0, atol=1e-11)


def test_two_waves():
    """1 + cos(x - y) on a full period: 2 pi once, pi twice."""
    found = kernel_eigenvalues(lambda x, y: 1 + np.cos(x - y), 0.3, 0.3 + 2 * np.pi, 30)
    assert_allclose(found[-3:], [np.pi, np.pi, 2 * np.pi], rtol=1e-13)


@pytest.mark.parametrize("s", [0.02, 0.05, 0.1])
def test_the_sine_kernel_leaves_a_gap(s):
    """The chance of no level within s mean spacings: 1 - s + pi^2 s^4/36 - pi^4 s^6/675 + ... [Mehta 2004]."""
    values = kernel_eigenvalues(lambda x, y: np.sinc(x - y), 0.0, s, 12)
    series = 1 - s + np.pi**2 * s**4 / 36 - np.pi**4 * s**6 / 675
    assert_allclose(np.prod(1 - values), series, rtol=0, atol=2 * s**8)


def test_the_airy_kernel_as_published():
    """F2(-2) of [Bornemann 2010]."""
    values = kernel_eigenvalues(airy_kernel, -2.0, 14.0, 50)
    assert_allclose(np.prod(1 - values), 0.41322414250512257485, rtol=0, atol=1e-13)


@pytest.mark.parametrize("s", [-6.0, -3.0, 0.0, 2.0])
def test_the_airy_kernel_is_a_square(s):
    """Its eigenvalues are the squares of those of Ai((x + y)/2)/2 on the same half line."""
    root = kernel_eigenvalues(lambda x, y: airy((x + y) / 2)[0] / 2, s, 28 - s, 60)
    square = kernel_eigenvalues(airy_kernel, s, 16.0, 60)
    assert_allclose(np.sort(root**2), square, rtol=0, atol=1e-13)
