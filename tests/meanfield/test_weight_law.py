"""Weights that are not Gaussian of mean zero: what the histogram does not do, and what the mean does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

from rmtlottery import meanfield
from tests.conftest import assert_mean

N1, N2 = 400, 150
PHI = {"tanh": np.tanh, "relu": lambda u: np.maximum(u, 0)}


def test_wide_nets_of_signs_follow_the_gaussian_map_and_not_their_histogram():
    rng = np.random.default_rng(1)
    sigma_w, sigma_b, q, nets = 1.8, 0.3, 2.0, 300
    h = np.sqrt(q) * rng.standard_normal((nets, N1, 1))
    for fan_out in (N2, N1):
        signs = rng.integers(0, 2, (nets, fan_out, h.shape[1]), dtype=np.int8) * 2.0 - 1
        h = sigma_w / np.sqrt(h.shape[1]) * (signs @ np.tanh(h)) + sigma_b * rng.standard_normal((nets, fan_out, 1))
    middle = meanfield.length_map(q, sigma_w, sigma_b)
    expected = meanfield.length_map(middle, sigma_w, sigma_b)
    proposal = meanfield.empirical_length_map(middle, sigma_w, sigma_b, [-1.0, 1.0])
    samples = np.mean(h**2, axis=(1, 2))
    assert_mean(samples, expected, rejects=1.1 * expected, bias=0.01 * expected)  # V is concave: q fluctuates at width 150
    assert_mean(samples, expected, rejects=proposal, bias=0.01 * expected)
    with pytest.raises(AssertionError, match="standard errors from"):
        assert_mean(samples, proposal, rejects=0)


def test_for_gaussian_weights_the_proposal_is_the_map():
    w = 0.01 + 0.3 * ndtri((np.arange(20_000) + 0.5) / 20_000)  # its mean and scale do not count
    q = np.array([0.1, 1.0, 20.0])
    assert_allclose(meanfield.empirical_length_map(q, 1.4, 0.3, w), meanfield.length_map(q, 1.4, 0.3), rtol=1e-3)


def test_signs_in_closed_form():
    q = np.array([[0.2], [3.0]])
    expected = 1.96 * np.tanh(np.sqrt(q)) ** 2 + 0.09
    assert_allclose(meanfield.empirical_length_map(q, 1.4, 0.3, [5.0, 7.0]), expected, rtol=1e-13)


def test_a_histogram_is_given_by_centers_or_by_edges():
    edges, counts = np.linspace(-2, 3, 6), np.array([1, 0, 7, 2, 3])
    sample = np.repeat((edges[1:] + edges[:-1]) / 2, counts)
    expected = meanfield.empirical_length_map(0.8, 1.4, 0.3, sample, phi="erf")
    for values in (edges, (edges[1:] + edges[:-1]) / 2):
        assert_allclose(meanfield.empirical_length_map(0.8, 1.4, 0.3, values, counts, "erf"), expected, rtol=1e-13)


@pytest.mark.parametrize("phi", PHI)
@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_random_layers_of_weights_with_a_mean(phi, shared):
    rng = np.random.default_rng(9)
    sigma_w, sigma_b, private, total, nets = 1.2, 0.4, 0.9, 12.0, 1500
    x = PHI[phi](shared + np.sqrt(private) * rng.standard_normal((nets, N1)))
    w = rng.standard_normal((nets, 20, N1)) * (sigma_w / np.sqrt(N1)) + total / N1
    h = np.einsum("nij,nj->ni", w, x) + sigma_b * rng.standard_normal((nets, 20))
    got = meanfield.mean_length_map(private + shared**2, sigma_w, sigma_b, total, N1, shared, phi)
    samples = np.mean(h**2, axis=1)
    assert_mean(samples, got.q, rejects=1.1 * got.q)
    common = total * np.mean(x, axis=1)
    assert_mean((common - got.shared) ** 2, got.fluctuation, rejects=1.2 * got.fluctuation)
    if phi == "tanh" and shared == 0:
        assert_mean(samples, got.q, rejects=got.q - got.fluctuation)
    else:
        assert_mean(np.mean(h, axis=1), got.shared, rejects=1.1 * got.shared)


def test_an_odd_phi_has_no_shared_mean_but_the_weights_second_moment():
    got = meanfield.mean_length_map(0.7, 1.2, 0.4, 12.0, N1)
    assert_allclose(got.shared, 0, atol=1e-14)
    assert_allclose(got.q, meanfield.length_map(0.7, np.sqrt(1.44 + 144 / N1), 0.4), rtol=1e-12)


def test_relu_in_closed_form():
    got = meanfield.mean_length_map(0.7, 1.2, 0.4, 3.0, 50, phi="relu")
    mean, square = np.sqrt(0.7 / (2 * np.pi)), 0.35
    assert_allclose(got.shared, 3 * mean, rtol=1e-12)
    assert_allclose(got.q, 1.44 * square + 0.16 + 9 * mean**2 + 9 / 50 * (square - mean**2), rtol=1e-12)


def test_without_a_mean_it_is_the_length_map():
    q = np.array([0.1, 2.0])
    got = meanfield.mean_length_map(q, 1.4, 0.3, 0.0, 10)
    assert_allclose(got.q, meanfield.length_map(q, 1.4, 0.3), rtol=1e-12)
    assert_allclose(got.fluctuation, 0)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: meanfield.empirical_length_map(1.0, 1.4, 0.3, [2.0, 2.0]), "weights are all equal"),
        (
            lambda: meanfield.empirical_length_map(1.0, 1.4, 0.3, [1.0, 2.0], [1, 2, 3]),
            "2 values with 3 counts are no histogram",
        ),
        (lambda: meanfield.empirical_length_map(1.0, 1.4, 0.3, []), "0 values with 0 counts are no histogram"),
        (lambda: meanfield.empirical_length_map(-1.0, 1.4, 0.3, [1.0, 2.0]), r"q = -1\.0 is not .*at least 0"),
        (lambda: meanfield.mean_length_map(0.5, 1.4, 0.3, 1.0, 10, shared=0.8), r"shared\^2 = 0\.64 is more than q = 0\.5"),
        (lambda: meanfield.mean_length_map(0.5, -1.4, 0.3, 1.0, 10), "sigma_w = -1.4 is not finite"),
    ],
)
def test_bad_input_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
