"""Distances from an isometry by an explicit one, shares by hand, and laws whose mean singular value is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import quad
from scipy.linalg import polar
from scipy.optimize import minimize_scalar

import rmtlottery as rl
from rmtlottery.analyze._singular import (
    draw_spectrum,
    histogram,
    law_histogram,
    law_moments,
    layer_squares,
    log_bins,
    moments,
    over_inputs,
    over_rows,
)
from rmtlottery.spectra.factors import Factor, gaussian, orthogonal
from rmtlottery.spectra.free_product import FreeProduct


def of(matrix):
    """The moments of a matrix, by row."""
    squares = over_rows(np.linalg.svd(matrix, compute_uv=False)[None] ** 2, len(matrix))[0]
    return moments(squares, np.ones(len(squares)))


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 6)])
def test_distances_are_those_from_a_polar_factor(shape):
    """A matrix of more rows than columns has columns of zeros beside it."""
    matrix = np.random.default_rng(0).standard_normal(shape) * 0.7
    wide = np.pad(matrix, ((0, 0), (0, max(shape[0] - shape[1], 0))))
    nearest, found = polar(wide)[0], of(matrix)
    assert np.allclose(nearest @ nearest.T, np.eye(shape[0]))
    norm = np.linalg.norm
    assert found["isometry"] == pytest.approx(norm(wide - nearest) / np.sqrt(shape[0]), rel=1e-12)
    away = minimize_scalar(lambda c: norm(wide - c * nearest) ** 2)
    assert found["anisotropy"] == pytest.approx(np.sqrt(away.fun) / norm(matrix), rel=1e-8)


def test_moments_are_those_of_the_gram_matrix():
    matrix = np.random.default_rng(1).standard_normal((7, 4))
    gram, found = matrix @ matrix.T, of(matrix)
    assert found["mean"] == pytest.approx(np.trace(gram) / 7, rel=1e-12)
    assert found["variance"] == pytest.approx(np.trace(gram @ gram) * 7 / np.trace(gram) ** 2 - 1, rel=1e-12)
    assert found["edge"] == pytest.approx(np.linalg.norm(matrix, 2) ** 2, rel=1e-12)
    assert found["zeros"] == pytest.approx(3 / 7)


def test_weights_count_as_repetitions():
    once, thrice = np.array([0.0, 1.0, 4.0]), np.array([0.0, 1.0, 1.0, 1.0, 4.0, 4.0])
    assert moments(once, np.array([1.0, 3.0, 2.0])) == pytest.approx(moments(thrice, np.ones(6)))


def test_a_jacobian_of_zeros_has_no_shape():
    found = moments(np.zeros(4), np.ones(4))
    assert (found["mean"], found["edge"], found["zeros"], found["isometry"]) == (0, 0, 1, 1)
    assert np.isnan([found["variance"], found["anisotropy"]]).all()


def test_an_isometry_is_0_away():
    turned = np.linalg.qr(np.random.default_rng(2).standard_normal((9, 4)))[0].T
    assert of(turned)["isometry"] == pytest.approx(0, abs=1e-7)
    assert of(1.6 * turned)["isometry"] == pytest.approx(0.6)
    assert of(1.6 * turned)["anisotropy"] == pytest.approx(0, abs=1e-7)


def test_nine_tenths_of_the_inputs_lie_between():
    found = over_inputs([{"mean": value} for value in np.arange(21.0)])
    assert found == pytest.approx({"mean": 10, "mean_low": 1, "mean_high": 19})


def test_shares_are_per_decade_and_by_weight():
    """Bins of half a decade from 1 to 100; 0 and what lies below are in none, but count."""
    squares, weights = np.array([0.0, 0.5, 2.0, 5.0, 50.0]), np.array([1.0, 1.0, 2.0, 1.0, 3.0])
    found = histogram(squares, weights, np.linspace(0, 2, 5))
    assert found == pytest.approx(np.array([2, 1, 0, 3]) / 8 / 0.5)
    assert law_histogram(lambda x: np.clip(x / 100, 0, 1), np.array([0.0, 1.0, 2.0])) == pytest.approx([0.09, 0.9])


def test_bins_are_of_log10():
    edges = log_bins(20)
    assert len(edges) == 21
    assert np.ptp(np.diff(edges)) == pytest.approx(0, abs=1e-12)
    with pytest.raises(rl.Refusal, match="bins = 1 is not at least 2"):
        log_bins(1)


@pytest.mark.parametrize("shape", [(30, 50), (50, 30)])
def test_what_rounding_leaves_of_a_zero_is_zero(shape):
    numbers = np.random.default_rng(3)
    matrix = numbers.standard_normal((shape[0], 11)) @ numbers.standard_normal((11, shape[1]))
    found = layer_squares(torch.from_numpy(matrix))
    assert np.count_nonzero(found) == 11
    assert found == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[::-1] ** 2, rel=1e-10, abs=1e-10)


def test_the_quarter_circle():
    """Of square Gaussian matrices the mean singular value is 8 sigma/(3 pi) [Marchenko & Pastur 1967]."""
    for sigma in (1.0, 2.5):
        found, first = law_moments(FreeProduct([gaussian(sigma, 60, 60)])), 8 * sigma / (3 * np.pi)
        assert found["mean"] == pytest.approx(sigma**2)
        assert found["edge"] == pytest.approx(4 * sigma**2)
        assert found["isometry"] == pytest.approx(np.sqrt(sigma**2 - 2 * first + 1), rel=1e-4)
        assert found["anisotropy"] == pytest.approx(np.sqrt(1 - first**2 / sigma**2), rel=1e-4)


@pytest.mark.parametrize(("m", "n"), [(30, 70), (70, 30)])
def test_the_mean_singular_value_of_a_rectangle_by_quadrature(m, n):
    c = m / n
    low, high = (1 - np.sqrt(c)) ** 2, (1 + np.sqrt(c)) ** 2
    first = quad(lambda x: np.sqrt((high - x) * (x - low)) / (2 * np.pi * c * np.sqrt(x)), low, high)[0]
    found = law_moments(FreeProduct([gaussian(1.0, m, n)]))
    assert found["isometry"] == pytest.approx(np.sqrt(2 - 2 * first), rel=1e-4)
    assert found["zeros"] == pytest.approx(max(1 - n / m, 0))


def test_a_law_of_one_value_is_a_multiple_of_an_isometry():
    found = law_moments(FreeProduct([orthogonal(1.3, 5, 9)]))
    assert found["isometry"] == pytest.approx(0.3)
    assert found["anisotropy"] == pytest.approx(0, abs=1e-6)
    tall = law_moments(FreeProduct([orthogonal(1.3, 9, 5)]))
    assert tall["anisotropy"] == pytest.approx(np.sqrt(4 / 9), rel=1e-5)


def test_a_law_of_few_values_as_a_matrix_has_it():
    squares = np.array([0.0, 0.3, 1.0, 4.0])
    law, matrix = law_moments(FreeProduct([Factor(squares, 4, 6)])), moments(squares, np.ones(4))
    assert law == pytest.approx(matrix, rel=1e-2)


def test_spectra_are_lines_by_source():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    held = {"source": "b", "log10": [0.0, 1.0, 2.0], "share": [0.1, 0.7, 0.2]}
    draw_spectrum(pd.DataFrame(held), ["a", "b"], axes)
    (line,) = [line for line in axes.get_lines() if len(line.get_xdata())]
    assert list(line.get_ydata()) == [0.1, 0.7, 0.2]
    assert axes.get_xlabel() == "log10 of squared singular value"
    assert axes.get_ylabel() == "share per decade"
