"""Layers that are not all alike: heterogeneous rows, columns and means, against random networks of unequal widths."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery import meanfield
from tests.conftest import assert_mean

N0, N1, N2 = 100, 240, 90
RNG = np.random.default_rng(5)
ROWS, ROW_BIASES = RNG.gamma(0.5, 3.0, N1), 0.7 * RNG.standard_normal(N1)  # rows of very unequal weight
COLUMNS = np.linspace(2.5, 0, N1) * (np.median(ROWS) > ROWS)  # that meet the quieter units
SQUARES, BIASES = RNG.gamma(1.0, 1.0, (N2, N1)) * COLUMNS * 4 / N1, 0.5 * RNG.standard_normal(N2)


@pytest.fixture(scope="module")
def nets():
    """Per net h^1, h^2, and how an isotropic perturbation of each layer's input moves its output."""
    rng = np.random.default_rng(8)
    count, x = 500, np.full(N0, 0.9)
    w1 = np.sqrt(ROWS / N0)[:, None] * rng.standard_normal((count, N1, N0))
    h1 = w1 @ x + ROW_BIASES
    w2 = np.sqrt(SQUARES) * rng.standard_normal((count, N2, N1))
    h2 = np.einsum("nij,nj->ni", w2, np.tanh(h1)) + BIASES
    moved1 = np.einsum("nij,nj->ni", w1, rng.standard_normal((count, N0))) / np.cosh(h1) ** 2
    moved2 = np.einsum("nij,nj->ni", w2, rng.standard_normal((count, N1))) / np.cosh(h2) ** 2
    return h1, h2, moved1, moved2


def test_rows(nets):
    got = meanfield.row_map(0.81, ROWS, ROW_BIASES)
    assert_mean(np.mean(nets[0] ** 2, axis=1), np.mean(got.q), rejects=1.1 * np.mean(got.q))
    m = np.mean(got.m)
    samples = np.mean(np.tanh(nets[0]) ** 2, axis=1)
    assert_mean(samples, m, rejects=1.1 * m)
    assert_mean(samples, m, rejects=meanfield.activation("tanh").V(np.mean(got.q)))  # concave: one q for all is too much
    assert_mean(np.mean(nets[2] ** 2, axis=1), got.chi, rejects=1.1 * got.chi)
    annealed = np.mean(meanfield.activation("tanh").V(got.q))
    assert np.mean(got.m) != pytest.approx(annealed, rel=1e-3)  # a given bias is no Gaussian variance


def test_the_profile(nets):
    below = meanfield.row_map(0.81, ROWS, ROW_BIASES)
    got = meanfield.profile_map(below.m, SQUARES, BIASES)
    samples = np.mean(nets[1] ** 2, axis=1)
    assert_mean(samples, np.mean(got.q), rejects=1.1 * np.mean(got.q))
    blind = meanfield.row_map(below.m, SQUARES.sum(axis=1), BIASES)
    assert_mean(samples, np.mean(got.q), rejects=np.mean(blind.q))
    assert_mean(np.mean(np.tanh(nets[1]) ** 2, axis=1), np.mean(got.m), rejects=1.1 * np.mean(got.m))
    assert_mean(np.mean(nets[3] ** 2, axis=1), got.chi, rejects=1.1 * got.chi)


def test_the_means_of_given_weights():
    rng = np.random.default_rng(2)
    w = (0.25 + rng.standard_normal((N2, N1))) * np.sqrt(COLUMNS / N1)
    a, s = np.linspace(-0.5, 1, N1), np.linspace(0.2, 2, N1)
    mean, m = meanfield.shifted_means(lambda u: (np.tanh(u), np.tanh(u) ** 2), a, s**2)
    got = meanfield.mean_profile_map(mean, m, w, BIASES)
    h = np.tanh(a + s * rng.standard_normal((4000, N1))) @ w.T + BIASES
    q, out = np.mean(got.q), np.mean(got.m)
    assert_mean(np.mean(h**2, axis=1), q, rejects=1.1 * q)
    assert_mean(np.mean(h**2, axis=1), q, rejects=np.mean(meanfield.profile_map(m, w**2, BIASES).q))
    assert_mean(np.mean(np.tanh(h) ** 2, axis=1), out, rejects=1.1 * out)
    sign = np.sign(got.mean)
    assert_mean(np.mean(np.tanh(h) * sign, axis=1), np.mean(got.mean * sign), rejects=1.1 * np.mean(got.mean * sign))
    moved = rng.standard_normal((4000, N1)) @ w.T / np.cosh(h) ** 2
    assert_mean(np.mean(moved**2, axis=1), got.chi, rejects=1.1 * got.chi)
    centered = np.mean(np.tanh(h - h.mean(axis=0)) ** 2)
    assert abs(centered - out) > 0.1 * out


@pytest.mark.parametrize("phi", ["tanh", "erf", "relu"])
def test_a_homogeneous_layer_is_the_length_map(phi):
    m, r = 0.6, 1.7
    got = meanfield.row_map(m, np.full(N2, r), 0.0, phi)
    act = meanfield.activation(phi)
    assert_allclose(got.m, act.V(r * m), rtol=1e-10)
    assert_allclose(got.chi, r * act.D(r * m), rtol=1e-10)
    assert_allclose(meanfield.length_map(r * m, 1.3, 0.2, phi), 1.69 * np.mean(got.m) + 0.04, rtol=1e-10)


def test_each_map_contains_the_one_before():
    m = np.linspace(0.1, 0.9, N1)
    flat = np.broadcast_to(SQUARES.mean(axis=1, keepdims=True), SQUARES.shape)
    row = meanfield.row_map(m, SQUARES.sum(axis=1), BIASES)
    profile = meanfield.profile_map(m, flat, BIASES)
    centered = meanfield.mean_profile_map(np.zeros(N1), m, np.sqrt(flat), BIASES)
    for one, two, three in zip(row, profile, centered, strict=True):
        assert_allclose(one, two, rtol=1e-12)
        assert_allclose(two, three, rtol=1e-12)


def test_q_is_mean_squared_plus_variance_and_m_holds_mean_squared():
    got = meanfield.profile_map(np.full(N1, 0.5), SQUARES, BIASES)
    assert_allclose(got.q, SQUARES.sum(axis=1) * 0.5 + BIASES**2, rtol=1e-13)
    assert np.all(got.m >= got.mean**2)
    assert_allclose(got.center, BIASES, rtol=0)


def test_inputs_are_leading_axes():
    m, mean = RNG.random((7, 3, N1)), np.full((7, 3, N1), 0.01)
    w = RNG.standard_normal((N2, N1))
    whole = meanfield.mean_profile_map(mean, m + mean**2, w, BIASES)
    one = meanfield.mean_profile_map(mean[4, 1], (m + mean**2)[4, 1], w, BIASES)
    assert whole.m.shape == (7, 3, N2)
    assert whole.chi.shape == (7, 3)
    assert_allclose(whole.m[4, 1], one.m, rtol=1e-12)
    assert_allclose(whole.chi[4, 1], one.chi, rtol=1e-12)
    assert meanfield.row_map(m, ROWS, ROW_BIASES).m.shape == (7, 3, N1)


def test_a_dead_layer_passes_its_biases_on():
    got = meanfield.profile_map(np.ones(N1), np.zeros((N2, N1)), BIASES)
    assert_allclose(got.m, np.tanh(BIASES) ** 2, rtol=1e-12)
    assert got.chi == 0


def test_widths_that_do_not_chain_are_refused():
    m = np.ones(N0)
    with pytest.raises(ValueError, match=r"squares \(out, in\) of shape \(90, 240\) do not chain with m of shape \(100,\)"):
        meanfield.profile_map(m, SQUARES, BIASES)
    with pytest.raises(ValueError, match=r"weights \(out, in\) of shape \(90, 240\) do not chain with m of shape \(240,\)"):
        meanfield.mean_profile_map(np.zeros(N0), np.ones(N1), SQUARES, BIASES)
    with pytest.raises(ValueError, match=r"biases of shape \(240,\) do not fit 90 units"):
        meanfield.profile_map(np.ones(N1), SQUARES, ROW_BIASES)
    with pytest.raises(ValueError, match=r"row variances .* or one is negative"):
        meanfield.row_map(1.0, -ROWS, ROW_BIASES)
    with pytest.raises(ValueError, match="do not chain with m of shape"):
        meanfield.profile_map(0.5, SQUARES, BIASES)


def test_a_variance_in_place_of_a_mean_square_is_refused():
    with pytest.raises(ValueError, match=r"m - mean\^2 reaches -0\.5: m is E x\^2 about zero"):
        meanfield.mean_profile_map(np.ones(N1), np.full(N1, 0.5), SQUARES, BIASES)
