"""Units of few inputs: the exact law against Fourier integrals, enumeration and random layers; how little it does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

from rmtlottery import meanfield
from rmtlottery.meanfield.gaussian import density
from rmtlottery.meanfield.in_degree import SparseLayer, sparse_law
from tests.conftest import assert_mean

LAWS = {"gaussian": 3.0, "magnitude": float(meanfield.survivor_kurtosis(0.1)), "signs": 1.0}
GRID = np.linspace(-9, 9, 1201)
CHANCE = density(GRID) * (GRID[1] - GRID[0])
V = meanfield.activation("tanh").V


def signal_kurtosis(q):
    return np.tanh(np.sqrt(q) * GRID) ** 4 @ CHANCE / V(q) ** 2


def survivors(rng, law, p, size):
    if law == "magnitude":
        return ndtri(1 - p / 2 * rng.random(size)) * rng.choice([-1, 1], size)
    return rng.standard_normal(size) if law == "gaussian" else rng.choice([-1.0, 1.0], size)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("sigma_b", [0.0, 0.6])
def test_the_law_has_the_moments_of_the_cumulants(law, sigma_b):
    h, masses = sparse_law(0.9, 1.5, sigma_b, SparseLayer(70, 0.1, law))
    q = meanfield.length_map(0.9, 1.5, sigma_b)
    excess = meanfield.excess_kurtosis(70, 0.1, LAWS[law], signal_kurtosis(0.9), sigma_b**2 / q)
    assert_allclose([masses.sum(), masses @ h**2], [1, q], rtol=1e-10)
    assert_allclose(masses @ h**4 / q**2, 3 + excess, rtol=1e-8)
    assert_allclose(masses @ h**3, 0, atol=1e-10)


@pytest.mark.parametrize("sigma_b", [0.0, 0.3])
def test_the_law_against_its_fourier_integral(sigma_b):
    """E exp(-h^2) = (1/2 sqrt(pi)) int e^{-t^2/4} cf(t) dt, weights of +-1 at density 0.25 and fan_in 24."""
    t = np.linspace(-14, 14, 801)
    x = np.tanh(np.sqrt(0.7) * GRID)
    one = np.cos(np.outer(t, x) * 1.4 / np.sqrt(6)) @ CHANCE
    cf = np.exp(-(sigma_b**2) * t**2 / 2) * (0.75 + 0.25 * one) ** 24
    expected = np.sum(np.exp(-(t**2) / 4) * cf) * (t[1] - t[0]) / (2 * np.sqrt(np.pi))
    h, masses = sparse_law(0.7, 1.4, sigma_b, SparseLayer(24, 0.25, "signs"))
    assert_allclose(masses @ np.exp(-(h**2)), expected, rtol=1e-8)


def test_two_inputs_are_enumerated():
    p, scale = 0.3, 1.4 / np.sqrt(0.6)
    x = scale * np.tanh(np.sqrt(0.8) * GRID)
    one, both = np.tanh(x) ** 2 @ CHANCE, CHANCE @ np.tanh(x[:, None] + x) ** 2 @ CHANCE
    expected = 1.96 * (2 * p * (1 - p) * one + p**2 * both)
    assert_allclose(meanfield.sparse_length_map(0.8, 1.4, 0.0, SparseLayer(2, p, "signs")), expected, rtol=1e-8)


def test_units_without_inputs_are_an_atom_at_zero():
    _, masses = sparse_law(0.8, 1.4, 0.0, SparseLayer(10, 0.1, "signs"))
    assert masses[0] == pytest.approx(0.9**10, abs=4e-3)  # and the terms within a lattice step of 0


@pytest.mark.parametrize("law", LAWS)
def test_random_layers_follow_the_exact_law_and_not_the_gaussian_one(law):
    rng = np.random.default_rng(4)
    p, fan_in, sigma_w, sigma_b, units = 0.1, 45, 1.4, 0.2, 150_000
    w = survivors(rng, law, p, (units, fan_in)) * (rng.random((units, fan_in)) < p)
    w *= sigma_w / np.sqrt(p * fan_in * (meanfield.magnitude_variance(p) / p if law == "magnitude" else 1))
    h = np.sum(w * np.tanh(np.sqrt(0.9) * rng.standard_normal(w.shape)), axis=1) + sigma_b * rng.standard_normal(units)
    expected = meanfield.sparse_length_map(0.9, sigma_w, sigma_b, SparseLayer(fan_in, p, law))
    samples = sigma_w**2 * np.tanh(h) ** 2 + sigma_b**2
    q = meanfield.length_map(0.9, sigma_w, sigma_b)
    assert_mean(samples, expected, rejects=meanfield.length_map(q, sigma_w, sigma_b))
    assert_mean(samples, expected, rejects=1.1 * expected)
    excess = meanfield.excess_kurtosis(fan_in, p, LAWS[law], signal_kurtosis(0.9), sigma_b**2 / q)
    assert_mean(h**4 / q**2, 3 + excess, rejects=3.0)


@pytest.mark.parametrize("law", LAWS)
def test_edgeworth_is_the_first_order(law):
    layer, sigma_w, sigma_b = SparseLayer(2000, 0.1, law), 1.4, 0.2
    q = meanfield.length_map(0.9, sigma_w, sigma_b)
    excess = meanfield.excess_kurtosis(2000, 0.1, LAWS[law], signal_kurtosis(0.9), sigma_b**2 / q)
    gaussian = meanfield.length_map(q, sigma_w, sigma_b)
    exact = meanfield.sparse_length_map(0.9, sigma_w, sigma_b, layer) - gaussian
    assert_allclose(meanfield.edgeworth_length_map(q, sigma_w, sigma_b, excess) - gaussian, exact, rtol=0.05)
    assert exact < 0  # fat tails saturate


def test_edgeworth_of_a_square_is_nothing_and_of_a_fourth_power_is_the_kurtosis():
    line = meanfield.Activation("line", lambda h: h, np.ones_like)
    assert_allclose(meanfield.edgeworth_length_map(1.7, 1.0, 0.0, 0.5, line), 1.7, rtol=1e-12)
    bend = meanfield.Activation("bend", lambda h: h**2, lambda h: 2 * h)
    assert_allclose(meanfield.edgeworth_length_map(1.7, 1.0, 0.0, 0.5, bend), 3.5 * 1.7**2, rtol=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_at_four_percent_of_256_inputs_it_is_a_few_percent(law):
    """No factor of 2 comes from here: 3.7 % with Gaussian survivors, 1.3 % with those of a magnitude mask."""
    exact = meanfield.sparse_length_map(0.76, 1.4, 0.0, SparseLayer(256, 0.04, law))
    gaussian = meanfield.length_map(meanfield.length_map(0.76, 1.4, 0.0), 1.4, 0.0)
    assert_allclose(exact / gaussian - 1, {"gaussian": -0.0372, "magnitude": -0.0129, "signs": -0.0117}[law], atol=1e-4)


def test_a_sample_is_its_law_and_its_scale_does_not_count():
    sample = np.random.default_rng(0).standard_normal(200_000)
    exact = meanfield.sparse_length_map(0.9, 1.4, 0.2, SparseLayer(40, 0.1))
    for scale in (0.01, 3.0):
        found = meanfield.sparse_length_map(0.9, 1.4, 0.2, SparseLayer(40, 0.1, scale * sample))
        assert_allclose(found, exact, rtol=2e-3)
    signs = meanfield.sparse_length_map(0.9, 1.4, 0.2, SparseLayer(40, 0.1, [-2.0, 2.0]))
    assert_allclose(signs, meanfield.sparse_length_map(0.9, 1.4, 0.2, SparseLayer(40, 0.1, "signs")), rtol=1e-12)


def test_a_sample_with_a_mean_and_a_relu():
    """Weights of 1 alone, fan_in 2, all kept: h = (x1 + x2) sigma_w/sqrt(2)."""
    mean, second = 1 / np.sqrt(2 * np.pi), 0.5
    expected = 2.25 * 2.25 * (second + mean**2)
    found = meanfield.sparse_length_map(1.0, 1.5, 0.0, SparseLayer(2, 1.0, [1.0]), "relu")
    assert_allclose(found, expected, rtol=1e-8)


def test_a_silent_layer_stays_silent():
    assert meanfield.sparse_length_map(0.0, 1.4, 0.0, SparseLayer(30, 0.2)) == 0


def test_kurtosis_of_given_weights():
    rng = np.random.default_rng(6)
    w, s = rng.standard_normal((3, 5)), np.array([0.3, 1, 2, 4, 0.1])
    m, fourth = meanfield.shifted_means(lambda u: (np.tanh(u) ** 2, np.tanh(u) ** 4), 0, s**2)
    excess = meanfield.quenched_kurtosis(w**2, m, fourth, 0.01)
    q = w**2 @ m + 0.01
    h = np.tanh(s * rng.standard_normal((400_000, 5))) @ w.T + 0.1 * rng.standard_normal((400_000, 1))
    for unit in range(3):
        assert_mean(h[:, unit] ** 4 / q[unit] ** 2, 3 + excess[unit], rejects=3.0)


def test_kurtosis_of_given_weights_averages_to_the_random_layer_s():
    equal = meanfield.quenched_kurtosis(np.ones((1, 8)), np.full(8, 0.4), np.full(8, 0.3))
    assert_allclose(equal, meanfield.excess_kurtosis(8, 1.0, 1.0, 0.3 / 0.16), rtol=1e-13)
    assert meanfield.quenched_kurtosis(np.zeros((1, 2)), np.ones(2), np.ones(2)) == 0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: SparseLayer(0, 0.5), "fan_in = 0 is not at least 1"),
        (lambda: SparseLayer(9, 0.0), r"density = 0.* is not in \(0, 1\]"),
        (lambda: sparse_law(1.0, 1.0, 0.0, SparseLayer(9, 0.5, "cauchy")), "law = 'cauchy' is not"),
        (lambda: sparse_law(1.0, 1.0, 0.0, SparseLayer(9, 0.5, [0.0])), "empty, all 0 or not finite"),
        (lambda: sparse_law(-1.0, 1.0, 0.0, SparseLayer(9, 0.5)), r"q = -1\.0 is not .*at least 0"),
        (lambda: sparse_law(1.0, -1.0, 0.0, SparseLayer(9, 0.5)), "sigma_w = -1.0 is not finite and at least 0"),
        (lambda: meanfield.excess_kurtosis(9, 1.5, 3, 3), r"density = 1\.5 is not in"),
        (lambda: meanfield.quenched_kurtosis(np.ones((2, 3)), np.ones(2), np.ones(2)), r"\(2, 3\).* do not chain"),
    ],
)
def test_bad_layers_are_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
