"""Exact moments of masked products: every matrix of a small ensemble, simulated ones, closed forms, bad input."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield.activations import activation
from rmtlottery.spectra.jacobian import JacobianLaw
from rmtlottery.spectra.masked_products import masked_moments
from tests.conftest import assert_mean


def every_matrix(rows, columns, values, chances):
    """All matrices with entries of these values, and their probabilities."""
    entries = np.array(list(product(range(len(values)), repeat=rows * columns)))
    return np.array(values)[entries].reshape(-1, rows, columns), np.prod(np.array(chances)[entries], axis=1)


def test_every_product_of_two_small_masked_sign_matrices():
    """(2, 3) times (3, 1), gains of two values between: 3^9 products of entries 0, +-1, and 4 pairs of gains."""
    p, sigma = (0.4, 0.7), (1.3, 0.6)
    first, chance = every_matrix(3, 1, [0, -1, 1], [1 - p[0], p[0] / 2, p[0] / 2])
    second, other = every_matrix(2, 3, [0, -1, 1], [1 - p[1], p[1] / 2, p[1] / 2])
    gains, odds = every_matrix(1, 3, [0.5, 1.5], [0.3, 0.7])
    inner = np.einsum("gk,iko->gik", gains[:, 0], first * sigma[0] / np.sqrt(1)).reshape(-1, 3, 1)
    weight = (odds[:, None] * chance).ravel()
    J = np.einsum("aij,bjo->abio", second * sigma[1] / np.sqrt(3), inner)
    A = J @ np.swapaxes(J, -1, -2)
    chances = other[:, None] * weight
    trace, square = np.trace(A, axis1=-2, axis2=-1), np.sum(A**2, axis=(-2, -1))
    mean, first_square = np.sum(chances * trace), np.sum(chances * square)
    mu1, mu2 = 0.3 * 0.25 + 0.7 * 2.25, 0.3 * 0.5**4 + 0.7 * 1.5**4
    found = masked_moments((1, 3, 2), sigma, p, 1.0, slope_square=(mu1, 1.0), slope_fourth=(mu2, 1.0))
    assert_allclose(found.mean, mean / 2, rtol=1e-12)
    assert_allclose(found.variance, first_square / 2 / (mean / 2) ** 2 - 1, rtol=1e-12)
    assert_allclose(found.spread, np.sum(chances * trace**2) / mean**2 - 1, rtol=1e-12)


def test_simulated_masked_gaussian_products():
    rng, widths, p, act = np.random.default_rng(2), (5, 8, 6, 7), (0.5, 0.3, 0.8), activation("tanh")
    q, J = np.array([0.4, 1.5, 0.9]), np.broadcast_to(np.eye(5), (40_000, 5, 5))
    for length, kept, columns, rows in zip(q, p, widths, widths[1:], strict=False):
        W = rng.standard_normal((len(J), rows, columns)) * (rng.random((len(J), rows, columns)) < kept)
        J = act.slope(np.sqrt(length) * rng.standard_normal((len(J), rows, 1))) * (1.2 * W / np.sqrt(columns) @ J)
    A = J @ J.swapaxes(1, 2)
    given = {"slope_square": act.D(q), "slope_fourth": act.D4(q)}
    found = masked_moments(widths, 1.2, p, **given)
    trace, square = np.trace(A, axis1=1, axis2=2), np.sum(A**2, axis=(1, 2))
    assert_mean(trace / 7, found.mean, rejects=1.1 * found.mean)
    assert_mean(square / 7 / found.mean**2, 1 + found.variance, rejects=0.7 * (1 + found.variance))
    assert_mean(trace**2 / (7 * found.mean) ** 2, 1 + found.spread, rejects=0.7 * (1 + found.spread))


@pytest.mark.parametrize(("n", "p", "kurtosis"), [(40, 0.1, 3.0), (7, 1.0, 1.0), (300, 0.02, 1.8)])
def test_one_square_layer_in_closed_form(n, p, kurtosis):
    """m2/m1^2 = 2 + kurtosis/d - 2/n, d = p n: of nonzeros per row."""
    found = masked_moments((n, n), 1.7, p, kurtosis)
    assert_allclose(found.variance, 1 + kurtosis / (p * n) - 2 / n, rtol=1e-12)
    assert_allclose(found.mean, p * 1.7**2, rtol=1e-12)


def test_wide_products_have_the_free_law():
    act, widths = activation("erf"), (40_000, 70_000, 50_000, 60_000)
    q = np.array([0.2, 1.0, 3.0])
    law = JacobianLaw(q, 0.9, "erf", widths=widths)
    found = masked_moments(widths, 0.9, slope_square=act.D(q), slope_fourth=act.D4(q))
    assert_allclose([found.mean, found.variance], [law.mean, law.variance], rtol=1e-3)
    assert found.spread < 1e-3


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"1 widths make no layer: give n_0 .. n_L"):
        masked_moments((3,), 1.0)
    with pytest.raises(ValueError, match=r"density of shape \(2,\) does not go with 1 layers"):
        masked_moments((3, 4), 1.0, [0.5, 0.5])
    with pytest.raises(ValueError, match=r"density = \[0.\] is not in \(0, 1\]"):
        masked_moments((3, 4), 1.0, 0.0)
    with pytest.raises(ValueError, match=r"kurtosis = \[0.5\], .* are no moments"):
        masked_moments((3, 4), 1.0, 1.0, 0.5)
    with pytest.raises(ValueError, match=r"slope_fourth = \[0.1\] are no moments"):
        masked_moments((3, 4), 1.0, slope_square=0.5, slope_fourth=0.1)
    with pytest.raises(ValueError, match=r"sigma_w = -1.0 is not finite and at least 0"):
        masked_moments((3, 4), -1.0)
