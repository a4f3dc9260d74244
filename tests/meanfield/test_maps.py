"""The length and correlation maps: identities, random networks of unequal widths, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf

import rmtlottery as rl
from tests.conftest import assert_mean

meanfield = rl.meanfield
PHI = {"tanh": np.tanh, "erf": erf, "relu": lambda u: np.maximum(u, 0)}
NETS, WIDTHS = 600, (100, 240, 90)


def second_layer(phi, sigma_w, sigma_b, *, transposed=False):
    """Per random net h of layer 2, for two inputs of |x|^2 = 100; their q1, c1. `transposed`: W2 scaled by its fan-out."""
    rng = np.random.default_rng(7)
    n0, n1, n2 = WIDTHS
    x = rng.standard_normal((n0, 2))
    x[:, 1] = x[:, 0] + 0.7 * x[:, 1]
    x *= 10 / np.linalg.norm(x, axis=0)

    def layer(signal, fan_out, divisor):
        W = rng.standard_normal((NETS, fan_out, signal.shape[-2])) * (sigma_w / np.sqrt(divisor))
        return W @ signal + sigma_b * rng.standard_normal((NETS, fan_out, 1))

    h = layer(PHI[phi](layer(x, n1, n0)), n2, n2 if transposed else n1)
    q1 = sigma_w**2 * 100 / n0 + sigma_b**2
    return h, q1, (sigma_w**2 * (x[:, 0] @ x[:, 1]) / n0 + sigma_b**2) / q1


@pytest.mark.parametrize("phi", PHI)
def test_random_nets_follow_both_maps(phi):
    sigma_w, sigma_b = 1.4, 0.5
    h, q1, c1 = second_layer(phi, sigma_w, sigma_b)  # given W1's Gaussian rows both means are exact, at any width
    q2 = meanfield.length_map(q1, sigma_w, sigma_b, phi)
    samples = np.mean(h[:, :, 0] ** 2, axis=1)
    assert_mean(samples, q2, rejects=1.1 * q2)
    assert_mean(samples, q2, rejects=meanfield.length_map(q1, sigma_w, sigma_b / np.sqrt(WIDTHS[1]), phi))
    q12 = meanfield.correlation_map(c1, q1, sigma_w, sigma_b, phi) * q2
    assert_mean(np.mean(h[:, :, 0] * h[:, :, 1], axis=1), q12, rejects=1.1 * q12)


def test_random_nets_with_a_transposed_fan_in_do_not():
    h, q1, _ = second_layer("tanh", 1.4, 0.5, transposed=True)
    with pytest.raises(AssertionError, match="standard errors from"):
        assert_mean(np.mean(h[:, :, 0] ** 2, axis=1), meanfield.length_map(q1, 1.4, 0.5), rejects=0)


def test_length_map_of_closed_forms():
    q, sigma_w = np.array([[0.1], [3.0]]), np.array([0.5, 1.4, 3.0])
    assert_allclose(meanfield.length_map(q, sigma_w, 0.3, "relu"), sigma_w**2 * q / 2 + 0.09, rtol=1e-13)
    expected = sigma_w**2 * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)) + 0.09
    assert_allclose(meanfield.length_map(q, sigma_w, 0.3, "erf"), expected, rtol=1e-13)


@pytest.mark.parametrize("phi", PHI)
@pytest.mark.parametrize("q", [1e-6, 0.3, 40.0])
def test_equal_signals_stay_equal_at_any_length(phi, q):
    assert_allclose(meanfield.correlation_map(1.0, q, 1.4, 0.3, phi), 1, rtol=1e-14)


def test_correlation_map_of_closed_forms():
    c, q = np.linspace(-1, 1, 9), np.array([[0.2], [5.0]])
    expected = (1.96 * 2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q)) + 0.09) / (
        1.96 * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)) + 0.09
    )
    assert_allclose(meanfield.correlation_map(c, q, 1.4, 0.3, "erf"), expected, rtol=1e-12, atol=1e-15)
    arc = (np.sqrt(1 - c**2) + c * (np.pi - np.arccos(c))) * q / (2 * np.pi)
    expected = (1.96 * arc + 0.09) / (1.96 * q / 2 + 0.09)
    assert_allclose(meanfield.correlation_map(c, q, 1.4, 0.3, "relu"), expected, rtol=1e-12)


def test_correlation_of_an_odd_phi_without_bias_is_odd():
    c = np.linspace(0, 1, 7)
    flipped = -meanfield.correlation_map(-c, 2.0, 1.4, 0)
    assert_allclose(meanfield.correlation_map(c, 2.0, 1.4, 0), flipped, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("phi", PHI)
def test_the_correlation_map_can_be_iterated_from_one(phi):
    c, q = 1.0, meanfield.fixed_point(1.2, 0.3, phi).q
    for _ in range(50):
        c = meanfield.correlation_map(c, q, 1.2, 0.3, phi)
    assert_allclose(c, 1, rtol=1e-12)


def test_phi_may_be_given_by_a_user():
    mine = meanfield.Activation("sin", np.sin, np.cos, bound=1.0, limit=20)
    assert_allclose(meanfield.length_map(0.7, 1.4, 0.3, mine), 1.96 * (1 - np.exp(-1.4)) / 2 + 0.09, rtol=1e-12)


def test_everything_broadcasts_in_float64():
    sigma_w, sigma_b, q = np.ones((4, 1, 1)), np.ones((3, 1), dtype=np.float32), np.arange(2)
    for result in (meanfield.length_map(q, sigma_w, sigma_b), meanfield.correlation_map(0.5, q, sigma_w, sigma_b)):
        assert result.shape == (4, 3, 2)
        assert result.dtype == np.float64


def test_trajectory_is_the_length_map_repeated():
    rows = meanfield.trajectory([0.1, 2.0, 30.0], 5, 1.4, 0.3)
    assert rows.shape == (5, 3)
    assert_allclose(rows[0], [0.1, 2.0, 30.0], rtol=0)
    assert_allclose(rows[1:], meanfield.length_map(rows[:-1], 1.4, 0.3), rtol=1e-13)


def test_trajectory_broadcasts_and_depth_one_is_the_input():
    assert meanfield.trajectory(0.5, 6, np.ones((4, 1)), np.ones(3)).shape == (6, 4, 3)
    assert_allclose(meanfield.trajectory([0.5, 1.0], 1, 1.4, 0.3), [[0.5, 1.0]], rtol=0)


def test_trajectory_of_relu_is_geometric():
    expected = 0.2 * 2.0 ** np.arange(8)  # sigma_w = 2 doubles, no bias
    assert_allclose(meanfield.trajectory(0.2, 8, 2.0, 0.0, "relu"), expected, rtol=1e-13)


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf, [1.0, -2.0]])
@pytest.mark.parametrize("which", ["sigma_w", "sigma_b"])
def test_bad_sigma_is_refused(which, bad):
    sigmas = {"sigma_w": 1.4, "sigma_b": 0.3} | {which: bad}
    calls = [
        lambda: meanfield.length_map(1.0, **sigmas),
        lambda: meanfield.correlation_map(0.5, 1.0, **sigmas),
        lambda: meanfield.trajectory(1.0, 3, **sigmas),
        lambda: meanfield.fixed_point(**sigmas),
    ] + [lambda: meanfield.critical_sigma_w(bad)] * (which == "sigma_b")
    for call in calls:
        with pytest.raises(ValueError, match=rf"{which}.*is not finite and at least 0"):
            call()


@pytest.mark.parametrize("bad", [-1e-9, np.nan, np.inf, [1.0, -2.0]])
def test_bad_length_is_refused(bad):
    for call in (
        lambda: meanfield.length_map(bad, 1.4, 0.3),
        lambda: meanfield.correlation_map(0.5, bad, 1.4, 0.3),
        lambda: meanfield.trajectory(bad, 3, 1.4, 0.3),
    ):
        with pytest.raises(ValueError, match=r"q1? = .* is not finite and at least 0"):
            call()


@pytest.mark.parametrize("bad", [1.001, -1.001, np.nan, [0.0, 2.0]])
def test_bad_correlation_is_refused(bad):
    with pytest.raises(ValueError, match=r"\bc\b|correlation"):
        meanfield.correlation_map(bad, 1.0, 1.4, 0.3)


@pytest.mark.parametrize("bad", [0, -3])
def test_bad_depth_is_refused(bad):
    with pytest.raises(ValueError, match="depth"):
        meanfield.trajectory(1.0, bad, 1.4, 0.3)


def test_unknown_phi_is_refused_everywhere():
    for call in (
        lambda: meanfield.length_map(1.0, 1.4, 0.3, "tahn"),
        lambda: meanfield.correlation_map(0.5, 1.0, 1.4, 0.3, "tahn"),
        lambda: meanfield.trajectory(1.0, 3, 1.4, 0.3, "tahn"),
        lambda: meanfield.fixed_point(1.4, 0.3, "tahn"),
        lambda: meanfield.critical_sigma_w(0.3, "tahn"),
    ):
        with pytest.raises(ValueError, match=r"(?i)did you mean.*tanh"):
            call()


def test_covariances_of_unequal_lengths_in_closed_form():
    q1, q2, c = np.array([[0.2], [7.0]]), 1.5, np.linspace(-1, 1, 5)
    q12 = c * np.sqrt(q1 * q2)
    expected = 1.96 * 2 / np.pi * np.arcsin(2 * q12 / np.sqrt((1 + 2 * q1) * (1 + 2 * q2))) + 0.09
    assert_allclose(meanfield.covariance_map(q1, q2, q12, 1.4, 0.3, "erf"), expected, rtol=1e-13)
    scaled = np.sqrt(q1 * q2) * meanfield.correlation_map(c, 1.0, 1.0, 0.0, "leaky_relu") * 0.50005
    assert_allclose(meanfield.covariance_map(q1, q2, q12, 1.4, 0.3, "leaky_relu"), 1.96 * scaled + 0.09, rtol=1e-12)
    assert_allclose(meanfield.covariance_map(q1, q2, q12, 1.4, 0.3, "linear"), 1.96 * q12 + 0.09, rtol=1e-14)


@pytest.mark.parametrize("phi", ["tanh", "gelu", "silu", "hard_tanh"])
def test_covariance_of_one_signal_with_itself_is_its_length(phi):
    q = np.array([0.0, 0.3, 5.0])
    assert_allclose(meanfield.covariance_map(q, q, q, 1.4, 0.3, phi), meanfield.length_map(q, 1.4, 0.3, phi), rtol=1e-12)
    of_nothing = meanfield.covariance_map(0.0, 2.0, 0.0, 1.4, 0.3, phi)
    assert_allclose(of_nothing, 0.09, rtol=1e-12)


@pytest.mark.parametrize("bad", [1.01, -1.01, np.nan])
def test_a_covariance_beyond_its_lengths_is_refused(bad):
    with pytest.raises(ValueError, match="is not between -sqrt"):
        meanfield.covariance_map(2.0, 0.5, bad, 1.4, 0.3)


def test_correlation_trajectory_is_both_maps_repeated():
    q, c = meanfield.correlation_trajectory([0.2, -0.9, 1.0], [[0.5], [4.0]], 4, 1.7, 0.3)
    assert q.shape == c.shape == (4, 2, 3)
    assert_allclose(q[:, :, 0], meanfield.trajectory([0.5, 4.0], 4, 1.7, 0.3), rtol=1e-15)
    assert_allclose(c[1:], meanfield.correlation_map(c[:-1], q[:-1], 1.7, 0.3), rtol=1e-13)
    assert_allclose(c[:, :, 2], 1, rtol=1e-14)


@pytest.mark.parametrize("depth", [1.5, 2.0, "3", None])
def test_a_depth_is_a_whole_number(depth):
    with pytest.raises(ValueError, match=r"depth = .* is not a whole number"):
        meanfield.trajectory(1.0, depth, 1.4, 0.3)


def test_a_message_names_the_value_that_is_wrong_and_no_other():
    with pytest.raises(ValueError, match=r"^q = -1.0 is not finite and at least 0$"):
        meanfield.length_map([0.5, -1.0, 2.0], 1.4, 0.3)


def test_rounding_of_a_correlation_is_no_fault():
    assert meanfield.correlation_map(1 + 2e-16, 0.7, 1.4, 0.3) == 1
