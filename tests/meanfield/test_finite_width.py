"""Spread and shift of finite nets: random nets of unequal widths, closed forms, bad input."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from rmtlottery.meanfield import activation, correlation_map, length_map, trajectory
from rmtlottery.meanfield.finite_width import length_shift, length_variance
from tests.conftest import assert_mean

NETS, N0, SIGMA_B = 12000, 40, 0.3
PHI = {"tanh": np.tanh, "relu": lambda h: np.maximum(h, 0)}
SIGMA_W = {"tanh": 1.8, "relu": 1.4}
OVERLAPS, PAIRS = (1.0, 0.6, 0.1), np.array([1, 2, 3]) / 6  # of 6 inputs: with itself, in its group of 3, across
WIDTHS = {"weights": (60, 90, 50, 70), "law": (360, 540, 300, 420)}  # the wide ones for what adds up over layers


def inputs():
    """Six inputs in two groups, all of |x|^2 = N0, of the OVERLAPS exactly."""
    group = np.arange(6) // 3
    overlap = np.where(group[:, None] == group, OVERLAPS[1], OVERLAPS[2])
    np.fill_diagonal(overlap, 1.0)
    basis, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((N0, 6)))
    return basis @ np.linalg.cholesky(overlap).T * np.sqrt(N0)


def by_weights(rng, x, width, sigma_w):
    W = rng.standard_normal((len(x), width, x.shape[1]), dtype=np.float32)
    b = rng.standard_normal((len(x), width, 1), dtype=np.float32)
    return W @ x.astype(np.float32) * np.float32(sigma_w / np.sqrt(x.shape[1])) + SIGMA_B * b


def by_law(rng, x, width, sigma_w):
    """The same law without the weights: given x a unit's h for the six inputs is normal, units independent."""
    covariance = sigma_w**2 * x.swapaxes(1, 2) @ x / x.shape[1] + SIGMA_B**2
    return rng.standard_normal((len(x), width, 6)) @ np.linalg.cholesky(covariance).swapaxes(1, 2)


@cache
def nets(phi, way):
    """Measured mean h^2, (layers, nets, inputs), and K of the first input, (layers, nets)."""
    rng, draw, parts = np.random.default_rng(11), {"weights": by_weights, "law": by_law}[way], []
    for _ in range(12):
        x, rows = np.broadcast_to(inputs(), (NETS // 12, N0, 6)), []
        for width in WIDTHS[way]:
            K = SIGMA_W[phi] ** 2 * np.mean(x[..., :1] ** 2, axis=1) + SIGMA_B**2
            h = draw(rng, x, width, SIGMA_W[phi]).astype(float)
            x = PHI[phi](h)
            rows.append(np.concatenate([np.mean(h**2, axis=1), K], axis=1))
        parts.append(rows)
    found = np.concatenate(parts, axis=1)
    return found[..., :6], found[..., 6]


def lengths(phi):
    return trajectory(SIGMA_W[phi] ** 2 + SIGMA_B**2, 4, SIGMA_W[phi], SIGMA_B, phi)


def correlations(phi):
    """(4, 3): of an input with itself, with one of its group, with one of the other."""
    q = lengths(phi)
    rows = [(SIGMA_W[phi] ** 2 * np.array(OVERLAPS) + SIGMA_B**2) / q[0]]
    for length in q[:-1]:
        rows.append(correlation_map(rows[-1], length, SIGMA_W[phi], SIGMA_B, phi))
    return np.stack(rows)


def squared_deviations(measured):
    return (measured - measured.mean()) ** 2


# The theory is the leading order: at 60 units the deeper layers differ by what it leaves out (relu 12 % in layer 4).
CASES = [("weights", 0), ("weights", 1), ("law", 1), ("law", 2), ("law", 3)]


@pytest.mark.parametrize(("way", "layer"), CASES)
@pytest.mark.parametrize("phi", PHI)
def test_one_input_spreads_over_nets(phi, way, layer):
    samples = squared_deviations(nets(phi, way)[0][layer, :, 0])
    expected = length_variance(lengths(phi), WIDTHS[way], SIGMA_W[phi], phi)[layer]
    assert_mean(samples, expected, rejects=1.15 * expected)
    if layer < 2:  # further down the sum over layers hides which width went where
        n1, n2, *others = WIDTHS[way]
        swapped = length_variance(lengths(phi), [n2, n1, *others], SIGMA_W[phi], phi)[layer]
        assert_mean(samples, expected, rejects=swapped)


@pytest.mark.parametrize(("way", "layer"), CASES)
@pytest.mark.parametrize("phi", PHI)
def test_a_mean_over_inputs_spreads_as_the_mean_over_pairs(phi, way, layer):
    samples = squared_deviations(nets(phi, way)[0][layer].mean(axis=1))
    q, c = lengths(phi)[:, None], correlations(phi)
    expected = length_variance(q, WIDTHS[way], SIGMA_W[phi], phi, c=c)[layer] @ PAIRS
    assert_mean(samples, expected, rejects=1.15 * expected)
    as_if_independent = length_variance(q[:, 0], WIDTHS[way], SIGMA_W[phi], phi)[layer] / 6
    assert_mean(samples, expected, rejects=as_if_independent)


@pytest.mark.parametrize("layer", [2, 3])
def test_the_mean_length_lies_below_theory(layer):
    """K less its linear response to the layers' own noise, which has mean zero exactly, leaves the shift, sharply."""
    q, K, act = lengths("tanh"), nets("tanh", "weights")[1], activation("tanh")
    linear = np.zeros(NETS)
    for at in range(layer):
        noise = K[at + 1] - length_map(K[at], SIGMA_W["tanh"], SIGMA_B)
        linear = SIGMA_W["tanh"] ** 2 * act.V_slope(q[at]) * linear + noise
    expected = length_shift(q, WIDTHS["weights"], SIGMA_W["tanh"])[layer]
    assert expected < 0
    assert_mean(K[layer] - q[layer] - linear, expected, rejects=1.1 * expected)


def test_relu_follows_its_closed_form():
    """E relu^4 - V^2 = 5 q^2 / 4 and chi_q = sigma_w^2 / 2: every layer adds 5/N, the last 2/N, to the relative variance."""
    q, n, weight = np.array([2.0, 0.7, 1.5]), np.array([20, 35, 50]), np.array([9.0, 1.1, 1.6])
    S2 = 1.1**4 * 1.25 * 2.0**2 / 20
    S3 = 1.6**4 / 4 * S2 + 1.6**4 * 1.25 * 0.7**2 / 35
    assert_allclose(length_variance(q, n, weight, "relu"), np.array([0, S2, S3]) + 2 * q**2 / n, rtol=1e-10)
    assert_allclose(length_shift(q, n, weight, "relu"), 0, atol=1e-9)


def test_shift_of_erf_by_its_closed_form():
    """V' = (4/pi) / ((1 + 2q) sqrt(1 + 4q)), so V'' = -V' (2/(1 + 2q) + 2/(1 + 4q))."""
    q, n = np.array([[1e-3, 0.8, 60.0]] * 3), np.array([30, 40, 50])
    slope = 4 / np.pi / ((1 + 2 * q) * np.sqrt(1 + 4 * q))
    bend = -slope * (2 / (1 + 2 * q) + 2 / (1 + 4 * q))
    S = length_variance(q, n, 1.3, "erf") - 2 * q**2 / n[:, None]
    M3 = 1.69 * bend[1] * S[1] / 2
    found = length_shift(q, n, 1.3, "erf")
    assert_allclose(found[:2], 0, atol=0)
    assert_allclose(found[2], M3, rtol=1e-8)
    deeper = length_shift(np.concatenate([q, q[:1]]), [*n, 60], 1.3, "erf")[3]
    assert_allclose(deeper, 1.69 * (slope[2] * M3 + bend[2] * S[2] / 2), rtol=1e-8)


def test_spread_of_a_unit_by_brute_force():
    """E tanh^2(u_a) tanh^2(u_b) by nested adaptive quadrature."""
    q, c = 2.3, -0.6

    def given(z):
        inner = lambda y: np.tanh(np.sqrt(q) * (c * z + 0.8 * y)) ** 2 * np.exp(-(y**2) / 2)  # noqa: E731
        return quad(inner, -9, 9, epsabs=1e-12)[0] * np.tanh(np.sqrt(q) * z) ** 2 * np.exp(-(z**2) / 2)

    both = quad(given, -9, 9, epsabs=1e-10)[0] / (2 * np.pi)
    expected = 1.5**4 * (both - activation("tanh").V(q) ** 2) / 30 + 2 * (1.1 * 0.25) ** 2 / 40
    assert_allclose(length_variance([q, 1.1], [30, 40], 1.5, c=[c, 0.25])[1], expected, rtol=1e-8)


@pytest.mark.parametrize("c", [-0.7, 0.3, 1.0])
def test_spread_of_a_hard_tanh_whose_square_has_kinks(c):
    """Kinks at +-1 cost the pair mean some digits, none of which a bar needs; the grid has a thousand steps to a kink."""
    z = (np.arange(-7000, 7000) + 0.5) / 1000
    weight = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / 1000
    square = np.clip(z, -1, 1) ** 2
    if c == 1:
        both = weight @ square**2
    else:
        at = slice(5, None, 50)  # an even grid of 280 for the outer, smooth mean
        inner = np.clip(c * z[at, None] + np.sqrt(1 - c**2) * z, -1, 1) ** 2 @ weight
        both = 50 * (weight * square)[at] @ inner
    q, n = 1.0, 40
    expected = 1.3**4 * (both - (weight @ square) ** 2) / n + 2 * c**2 / n
    assert_allclose(length_variance([q, q], [n, n], 1.3, "hard_tanh", c=c)[1], expected, rtol=2e-3)


def test_everything_broadcasts():
    q, c = np.full((3, 4, 1), 0.8), np.linspace(-1, 1, 5) * np.ones((3, 1, 1))
    assert length_variance(q, [10, 20, 30], [1.0, 1.2, 1.4], c=c).shape == (3, 4, 5)
    assert length_variance(q, [10, 20, 30], 1.0).shape == length_shift(q, [10, 20, 30], 1.0).shape == (3, 4, 1)
    assert_allclose(length_variance([0.0, 0.0], [5, 6], 1.2), 0, atol=0)
    assert_allclose(length_shift([0.0, 0.0], [5, 6], 1.2), 0, atol=0)


@pytest.mark.parametrize("call", [length_variance, length_shift])
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match=r"widths of shape \(3,\) do not chain with the 2 layers"):
        call([1.0, 1.0], [10, 20, 30], 1.4)
    with pytest.raises(ValueError, match=r"widths of shape \(\) do not chain"):
        call([1.0, 1.0], 10, 1.4)
    with pytest.raises(ValueError, match=r"widths = \[10. +0.\].*at least 1"):
        call([1.0, 1.0], [10, 0], 1.4)
    with pytest.raises(ValueError, match=r"widths = \[10. nan\].*at least 1"):
        call([1.0, 1.0], [10, np.nan], 1.4)
    with pytest.raises(ValueError, match=r"sigma_w of shape \(3,\) does not go with 2 layers"):
        call([1.0, 1.0], [10, 20], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"sigma_w = -1.4 is not finite and at least 0"):
        call([1.0, 1.0], [10, 20], -1.4)
    for bad in (np.inf, np.nan, -1.0):
        with pytest.raises(ValueError, match=r"q = .* is not finite and at least 0"):
            call([1.0, bad], [10, 20], 1.4)
    with pytest.raises(ValueError, match="did you mean 'tanh'"):
        call([1.0, 1.0], [10, 20], 1.4, "tahn")


def test_bad_correlations_are_refused():
    with pytest.raises(ValueError, match=r"c = .*1\.1.* is not between -1 and 1"):
        length_variance([1.0, 1.0], [10, 20], 1.4, c=1.1)
    with pytest.raises(ValueError, match=r"c of shape \(3,\) does not go with 2 layers"):
        length_variance([1.0, 1.0], [10, 20], 1.4, c=[0.1, 0.2, 0.3])
