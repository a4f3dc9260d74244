"""What masks leave of Gaussian weights: mpmath, limits, masked random networks of unequal widths, bad densities."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery import meanfield
from tests.conftest import assert_mean

CLOSED = (
    meanfield.magnitude_threshold,
    meanfield.magnitude_variance,
    meanfield.survivor_growth,
    meanfield.survivor_kurtosis,
    meanfield.critical_gain,
)


@pytest.mark.parametrize("p", [0.001, 0.04, 0.3, 0.97])
def test_closed_forms_against_mpmath(p):
    with mp.workdps(25):
        t = mp.sqrt(2) * mp.erfinv(1 - mp.mpf(p))
        second, fourth = (2 * mp.quad(lambda w, n=n: w**n * mp.npdf(w), [t, t + 2, t + 6, 15]) for n in (2, 4))
        expected = [t, second, mp.sqrt(second / p), p * fourth / second**2, 1 / mp.sqrt(second)]
    assert_allclose([f(p) for f in CLOSED], [float(value) for value in expected], rtol=1e-10)


def test_no_mask_and_hardly_any_weights():
    assert_allclose([f(1.0) for f in CLOSED], [0, 1, 1, 3, 1], atol=1e-15)
    p = 1e-200  # the survivors of a steep tail are two narrow lumps at +-t
    t = meanfield.magnitude_threshold(p)
    assert_allclose(meanfield.magnitude_variance(p) / (p * t**2), 1, rtol=3e-3)
    assert_allclose(meanfield.survivor_kurtosis(p), 1, rtol=1e-4)


def test_survivors_spread_grows_while_the_layer_s_variance_falls():
    p = np.linspace(1, 0.01, 50)
    assert np.all(np.diff(meanfield.survivor_growth(p)) > 0)
    assert np.all(np.diff(meanfield.magnitude_variance(p)) < 0)
    assert np.all(np.diff(meanfield.survivor_kurtosis(p)) < 0)
    assert_allclose(p * meanfield.survivor_growth(p) ** 2, meanfield.magnitude_variance(p), rtol=1e-14)


def masked_second_layer(mask, p, gain=1.0, nets=400):
    """Mean h^2 of layer 2 of random nets, layers of 100, 240 and 90 units, both masked; and q of the input."""
    rng = np.random.default_rng(11)
    x = np.full(100, 0.8)

    def layer(signal, fan_out):
        w = rng.standard_normal((nets, fan_out, signal.shape[-2]))
        if mask == "random":
            w *= rng.random(w.shape) < p
        else:
            size = np.sort(np.abs(w).reshape(nets, -1), axis=1)
            w *= np.abs(w) >= size[:, -round(p * size.shape[1]), None, None]
        return gain * 1.6 / np.sqrt(signal.shape[-2]) * (w @ signal) + 0.4 * rng.standard_normal((nets, fan_out, 1))

    h = layer(np.tanh(layer(np.broadcast_to(x[:, None], (nets, 100, 1)), 240)), 90)
    return np.mean(h**2, axis=(1, 2))


@pytest.mark.parametrize(("mask", "kept"), [("random", 0.2), ("magnitude", meanfield.magnitude_variance(0.2))])
def test_masked_nets_have_the_kept_variance_and_all_of_the_bias(mask, kept):
    sigma_w = 1.6 * np.sqrt(kept)
    expected = meanfield.length_map(sigma_w**2 * 0.64 + 0.16, sigma_w, 0.4)
    samples = masked_second_layer(mask, 0.2)  # fan_in 100 and density 0.2: a correction of about 1 % of V, below the bar
    assert_mean(samples, expected, rejects=1.1 * expected, bias=0.01 * expected)
    without_bias = meanfield.length_map(sigma_w**2 * 0.64 + 0.16, sigma_w, 0.4 * np.sqrt(kept))
    assert_mean(samples, expected, rejects=without_bias, bias=0.01 * expected)


def test_the_critical_gain_gives_back_the_dense_net():
    expected = meanfield.length_map(2.56 * 0.64 + 0.16, 1.6, 0.4)
    samples = masked_second_layer("magnitude", 0.3, gain=float(meanfield.critical_gain(0.3)))
    assert_mean(samples, expected, rejects=1.1 * expected, bias=0.01 * expected)
    by_spread = masked_second_layer("magnitude", 0.3, gain=1 / float(meanfield.survivor_growth(0.3)), nets=50)
    with pytest.raises(AssertionError, match="standard errors from"):
        assert_mean(by_spread, expected, rejects=0)


@pytest.mark.parametrize("bad", [0, -0.1, 1.2, np.nan, [0.5, 0.0]])
@pytest.mark.parametrize("f", CLOSED)
def test_bad_densities_are_refused(f, bad):
    with pytest.raises(ValueError, match=r"density = .* is not in \(0, 1\]: it is the kept fraction"):
        f(bad)
