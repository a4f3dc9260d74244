"""tau on the real line and the log-determinant: quadratic roots, derivatives, extreme arguments, and what is not found."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra import subordination
from rmtlottery.spectra.factors import Factor, chain, gaussian
from rmtlottery.spectra.subordination import log_determinant, solved, tau


def test_one_gaussian_layer_is_a_quadratic():
    """x n tau = sigma^2 (m + tau)(n + tau), inside the bulk and beyond both edges."""
    m, n, sigma, x = 20, 50, 1.4, np.array([0.01, 0.3, 1.0, 4.0, 9.0])
    found = tau(chain([gaussian(sigma, m, n)]), solved(chain([gaussian(sigma, m, n)]), np.log(x)))
    for point, value in zip(x, found, strict=True):
        roots = np.roots([1, m + n - point * n / sigma**2, m * n])
        assert np.abs(roots - value).min() < 1e-7 * np.abs(value)
        assert value.imag <= 0


def test_laws_are_met():
    """tau = sum of x/(y - x) over every law, and log z = log x, by sums of our own."""
    squares, others, x = np.array([0.1, 1.0, 1.5, 4.0]), np.array([0.5, 0.7, 3.0]), np.array([1e-3, 0.2, 1.0])
    parts = [Factor(squares, 5, 4), gaussian(1.1, 6, 5), Factor(others, 3, 6)]
    made = chain(parts)
    point = solved(made, np.log(x))
    trace, y = tau(made, point), -np.exp(point.eta)
    for law, values in zip(made.laws, (squares, others), strict=True):
        row = made.laws.index(law)
        assert_allclose(np.sum(values / (y[row][:, None] - values), axis=1), trace, rtol=1e-9)
    layer = 1.1**2 * (6 + trace) * (5 + trace) / (5 * trace)
    inner = trace**2 / ((5 + trace) * (6 + trace))
    assert_allclose(y[0] * y[1] * layer * inner, x, rtol=1e-9)


def test_the_log_determinant_is_the_integral_of_tau():
    made = chain([Factor([0.1, 1.0, 1.5, 4.0], 5, 4), gaussian(1.1, 6, 5), Factor([0.5, 0.7, 3.0], 3, 6)])
    log, step = np.array([-3.0, -0.5, 0.4]), 1e-5
    up, down = (log_determinant(made, solved(made, log + side * step)) for side in (1, -1))
    assert_allclose((up - down) / (2 * step), tau(made, solved(made, log)), rtol=1e-6)


def test_the_smallest_arguments_keep_their_digits():
    """tau + n -> i sqrt(x) n at the hard edge of a square Gaussian layer."""
    made = chain([gaussian(1.0, 7, 7)])
    log = np.array([-600.0, -300.0, -40.0])
    assert_allclose(tau(made, solved(made, log)).imag, -7 * np.exp(log / 2), rtol=1e-9)


def test_what_is_not_found_is_said(monkeypatch):
    monkeypatch.setattr(subordination, "TOLERANCE", -1.0)
    with pytest.raises(ArithmeticError, match=r"no solution at 2 of 2 points, as x = 1, where the error is still"):
        solved(chain([gaussian(1.0, 7, 7)]), np.array([0.0, 0.5]))
