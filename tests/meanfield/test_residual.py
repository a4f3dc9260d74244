"""Residual blocks: random blocks of unequal inner widths, closed forms, growth with depth, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield import activation, correlation_map, length_map
from rmtlottery.meanfield.residual import (
    residual_chi,
    residual_correlation_map,
    residual_covariance_map,
    residual_map,
    residual_trajectory,
)
from tests.conftest import assert_mean

PHI = {"tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2), "relu": (lambda h: np.maximum(h, 0), lambda h: 1.0 * (h > 0))}
LONG, SHARED = 2.0, -0.6  # a third signal, of another length, and its covariance with the first
N, INNER, NETS = 180, 330, 240
Q, C, SIGMA_W, SIGMA_B = 0.5, 0.4, (1.7, 0.9), (0.2, 0.5)


def random_blocks(phi, skip, blocks=2):
    """Behind every block: mean h^2, h_a h_b, h_a h_long, and its gain of a random direction; (blocks, 4, nets)."""
    act, slope = PHI[phi]
    rng = np.random.default_rng(5)
    spread = np.linalg.cholesky([[Q, C * Q, SHARED], [C * Q, Q, 0], [SHARED, 0, LONG]])
    h, rows = rng.standard_normal((NETS, N, 3)) @ spread.T, []
    for _ in range(blocks):
        v = rng.standard_normal((NETS, N, 1))
        z, dz = h, v
        for sigma_w, sigma_b, width in zip(SIGMA_W[:skip], SIGMA_B[:skip], (INNER, N)[-skip:], strict=True):
            W = rng.standard_normal((NETS, width, z.shape[1]), dtype=np.float32) * (sigma_w / np.sqrt(z.shape[1]))
            dz = W @ (slope(z[..., :1]) * dz).astype(np.float32)
            z = W @ act(z).astype(np.float32) + sigma_b * rng.standard_normal((NETS, width, 1))
        h = h + z
        gain = np.sum((v + dz) ** 2, axis=(1, 2)) / np.sum(v**2, axis=(1, 2))
        rows.append([*np.mean(h[..., :1] * h, axis=1).T, gain])
    return np.array(rows)


@pytest.mark.parametrize("skip", [1, 2])
@pytest.mark.parametrize("phi", PHI)
def test_random_blocks_follow_the_maps(phi, skip):
    rows, (weights, biases) = random_blocks(phi, skip), (SIGMA_W[:skip], SIGMA_B[:skip])
    q, c, long, shared = Q, C, LONG, SHARED
    for length, covariance, unequal, gain in rows:
        chi = residual_chi(q, weights, biases, phi, skip=skip)
        shared = residual_covariance_map(q, long, shared, weights, biases, phi, skip=skip)
        long = residual_map(long, weights, biases, phi, skip=skip)
        c = residual_correlation_map(c, q, weights, biases, phi, skip=skip)
        q = residual_map(q, weights, biases, phi, skip=skip)
        assert_mean(length, q, rejects=1.1 * q)
        assert_mean(covariance, q * c, rejects=1.1 * q * c)
        assert_mean(unequal, shared, rejects=shared + 0.1 * np.sqrt(q * long))
        assert_mean(gain, chi, rejects=1.1 * chi)


def test_random_blocks_refuse_the_neighbouring_formulas():
    (length, _, _, gain), (weights, biases) = random_blocks("tanh", 2)[0], (SIGMA_W, SIGMA_B)
    q, chi = residual_map(Q, weights, biases), residual_chi(Q, weights, biases)
    assert_mean(length, q, rejects=residual_map(Q, weights[::-1], biases))
    assert_mean(length, q, rejects=residual_map(Q, weights, biases[::-1]))
    one_length = 1 + (weights[0] * weights[1] * activation("tanh").D(Q)) ** 2
    assert_mean(gain, chi, rejects=one_length)


def test_blocks_of_closed_forms():
    q = np.array([0.2, 5.0])
    assert_allclose(residual_map(q, 1.4, 0.3, "relu", skip=1), q * (1 + 0.98) + 0.09, rtol=1e-13)
    inner = 1.21 * q / 2 + 0.04
    assert_allclose(residual_map(q, (1.1, 0.8), (0.2, 0.5), "relu"), q + 0.32 * inner + 0.25, rtol=1e-13)
    assert_allclose(residual_chi(q, (1.1, 0.8), (0.2, 0.5), "relu"), 1 + 0.605 * 0.32, rtol=1e-13)
    erf_slope = lambda q: 4 / np.pi / np.sqrt(1 + 4 * q)  # noqa: E731
    inner = 1.21 * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)) + 0.04
    expected = 1 + 1.21 * erf_slope(q) * 0.64 * erf_slope(inner)
    assert_allclose(residual_chi(q, (1.1, 0.8), (0.2, 0.5), "erf"), expected, rtol=1e-12)


def test_a_skip_over_one_layer_adds_the_dense_map():
    assert_allclose(residual_map(0.7, 1.4, 0.3, skip=1), 0.7 + length_map(0.7, 1.4, 0.3), rtol=1e-14)
    both = 0.7 * 0.2 + correlation_map(0.2, 0.7, 1.4, 0.3) * length_map(0.7, 1.4, 0.3)
    found = residual_correlation_map(0.2, 0.7, 1.4, 0.3, skip=1) * residual_map(0.7, 1.4, 0.3, skip=1)
    assert_allclose(found, both, rtol=1e-13)


def test_bounded_phi_grows_linearly_and_relu_exponentially():
    q = residual_trajectory(1.0, 400, 1.5, 0.4, skip=1)
    steps = np.diff(q)
    assert np.all(steps < 2.25 + 0.16)
    assert_allclose(steps[-100:], 2.41, rtol=0.03)  # sup phi = 1, approached like 1/sqrt(q)
    assert np.all(np.diff(steps) > 0)
    assert_allclose(residual_trajectory(1.0, 30, 1.5, 0.0, "relu", skip=1), (1 + 1.125) ** np.arange(31), rtol=1e-12)
    assert_allclose(residual_trajectory(1.0, 30, 1.5, 0.0, "relu"), (1 + 1.125**2) ** np.arange(31), rtol=1e-12)


def test_trajectory_is_the_map_repeated_and_broadcasts():
    rows = residual_trajectory([0.1, 2.0], 3, (np.ones((4, 1)), 0.5), 0.3)
    assert rows.shape == (4, 4, 2)
    assert_allclose(rows[1:], residual_map(rows[:-1], (np.ones((4, 1)), 0.5), 0.3), rtol=1e-13)
    assert_allclose(residual_trajectory(0.5, 0, 1.0, 0.3), [0.5], rtol=0)


@pytest.mark.parametrize("phi", ["tanh", "relu", "gelu"])
@pytest.mark.parametrize("skip", [1, 2])
def test_covariances_of_equal_lengths_are_correlations(skip, phi):
    q, c = np.array([[0.3], [7.0]]), np.array([-1, -0.5, 0, 0.9, 1])
    sigmas = {1: (1.4, 0.3), 2: ((1.4, 0.8), (0.3, 0.1))}[skip]
    found = residual_covariance_map(q, q, q * c, *sigmas, phi, skip=skip)
    expected = residual_correlation_map(c, q, *sigmas, phi, skip=skip) * residual_map(q, *sigmas, phi, skip=skip)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("skip", [1, 2])
def test_equal_signals_stay_equal_and_vanished_ones_keep_their_correlation(skip):
    assert_allclose(residual_correlation_map(1.0, [0.1, 40.0], 1.4, 0.3, skip=skip), 1, rtol=1e-13)
    assert_allclose(residual_correlation_map(0.3, 0.0, 1.4, 0.0, skip=skip), 0.3, rtol=0)


CALLS = {
    "map": residual_map,
    "trajectory": lambda q, *rest, **more: residual_trajectory(q, 2, *rest, **more),
    "chi": residual_chi,
    "covariance": lambda q, *rest, **more: residual_covariance_map(1.0, q, 0.1, *rest, **more),
    "correlation": lambda *rest, **more: residual_correlation_map(0.5, *rest, **more),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_bad_input_is_refused(call):
    for bad in (np.nan, -1.0, np.inf):
        with pytest.raises(ValueError, match=r"q2? = .* is not finite and at least 0"):
            call(bad, 1.4, 0.3)
        with pytest.raises(ValueError, match=r"sigma_w = .* is not finite and at least 0"):
            call(1.0, (1.4, bad), 0.3)
        with pytest.raises(ValueError, match=r"sigma_b = .* is not finite and at least 0"):
            call(1.0, 1.4, bad)
    with pytest.raises(ValueError, match=r"skip = 3: a skip goes over 1 or 2 layers"):
        call(1.0, 1.4, 0.3, skip=3)
    with pytest.raises(ValueError, match=r"sigma_b = \(0.1, 0.2\) has 2 values, but a block has 1 layers"):
        call(1.0, 1.4, (0.1, 0.2), skip=1)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="blocks = -1 is not at least 0"):
        residual_trajectory(1.0, -1, 1.4, 0.3)
    with pytest.raises(ValueError, match=r"c = 1.2 is not between -1 and 1"):
        residual_correlation_map(1.2, 1.0, 1.4, 0.3)
    with pytest.raises(ValueError, match=r"q12 = 1.5 is not between"):
        residual_covariance_map(1.0, 2.0, 1.5, 1.4, 0.3)
