"""Laws of squared gains: closed forms, mpmath next to the largest value, and the path beside the real line."""

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield.activations import ACTIVATIONS, Activation, activation
from rmtlottery.spectra.gain_law import discrete, gain_law

SLOPES = {
    "tanh": lambda h: mp.sech(h) ** 2,
    "erf": lambda h: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h),
    "gelu": lambda h: mp.ncdf(h) + h * mp.npdf(h),
    "silu": lambda h: (1 + h / (1 + mp.exp(h))) / (1 + mp.exp(-h)),
}
PEAKS = {"tanh": 0, "erf": 0, "gelu": mp.sqrt(2), "silu": mp.mpf("2.399357280520468")}  # of phi'


@pytest.mark.parametrize("q", [0.01, 0.3, 10.0, 1000.0])
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_means_of_gains(phi, q):
    act, law = activation(phi), gain_law(activation(phi), q)
    assert_allclose(law.weights @ law.x, act.D(q), rtol=1e-12)
    assert_allclose([law.weights @ law.x**2, law.weights.sum()], [act.D4(q), law.rank], rtol=1e-12)
    assert_allclose([law.below_weights @ law.below, law.below_weights.sum()], [act.D(q), law.rank], rtol=1e-6)


@pytest.mark.parametrize("above", [1e-6, 1e-2, 3.0])
@pytest.mark.parametrize("phi", SLOPES)
def test_poles_above_the_largest(phi, above):
    """E x/(y - x), peaked where phi' is largest."""
    q, slope, peak = 0.7, SLOPES[phi], PEAKS[phi]
    law = gain_law(activation(phi), q)
    y = slope(mp.mpf(peak)) ** 2 * (1 + mp.mpf(above))
    width, root = mp.sqrt(mp.mpf(above)), mp.sqrt(q)
    cuts = sorted(
        {-8, 8, 0, *(float(c) for k in range(5) for c in (peak / root + 5**k * width, peak / root - 5**k * width))}
    )
    exact = mp.quad(
        lambda z: slope(root * z) ** 2 / (y - slope(root * z) ** 2) * mp.npdf(z), [c for c in cuts if abs(c) <= 8]
    )
    assert_allclose(law.top, float(slope(mp.mpf(peak)) ** 2), rtol=1e-14)
    assert_allclose(
        law.weights @ (law.x / (law.top * above + (law.top - law.x))), float(exact), rtol=2e-10 if above < 1e-3 else 1e-12
    )


@pytest.mark.parametrize("y", [-0.3, 0.2 + 0.5j, 0.05 + 0.02j])
@pytest.mark.parametrize("phi", ["tanh", "gelu"])
def test_the_path_beside_is_the_same_integral(phi, y):
    law = gain_law(activation(phi), 2.0)
    exact = mp.quad(
        lambda z: SLOPES[phi](mp.sqrt(2) * z) ** 2 / (y - SLOPES[phi](mp.sqrt(2) * z) ** 2) * mp.npdf(z),
        list(np.linspace(-8, 8, 65)),
    )
    assert_allclose(law.below_weights @ (law.below / (y - law.below)), complex(exact), rtol=1e-6)


@pytest.mark.parametrize("q", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("phi", SLOPES)
def test_the_path_stays_below(phi, q):
    assert gain_law(activation(phi), q).below.imag.max() < 1e-13


def test_two_point_laws():
    hard, leaky = gain_law(activation("hard_tanh"), 0.8), gain_law(activation("leaky_relu"), 0.8)
    assert_allclose([*hard.x, hard.rank, hard.top_weight], [1.0, *[float(mp.erf(1 / mp.sqrt(1.6)))] * 2], rtol=1e-15)
    assert_allclose([leaky.x, leaky.weights], [[1e-4, 1], [0.5, 0.5]], rtol=1e-15)
    assert_allclose([gain_law(activation("linear"), 0.8).rank, gain_law(activation("relu"), 0.8).rank], [1, 0.5], rtol=0)


def test_a_constant_stretch_beside_a_bent_one():
    """elu: slope 1 for h > 0, e^h below."""
    elu = Activation(
        "elu",
        lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0))),
        lambda h: np.where(h > 0, 1.0, np.exp(np.minimum(h, 0))),
    )
    law, q = gain_law(elu, 1.5), mp.mpf(1.5)
    low = [mp.exp(k**2 * q / 2) * mp.ncdf(-k * mp.sqrt(q)) for k in (2, 4)]
    assert_allclose([law.weights @ law.x, law.weights @ law.x**2], [float(0.5 + m) for m in low], rtol=1e-12)
    assert_allclose([law.top, law.top_weight, law.rank], [1, 0.5, 1], rtol=1e-13)


def test_equal_values_are_one_and_zeros_none():
    law = discrete(np.array([2.0, 0.0, 2.0, 0.5]), np.ones(4)).times(3.0)
    assert_allclose([law.x, law.weights], [[0.5, 2], [3, 6]])
    assert (law.top, law.top_weight, law.rank) == (2.0, 6.0, 9.0)


@pytest.mark.parametrize("q", [0.3, 10.0, 50.0, 451.0, 1000.0, 3000.0])
@pytest.mark.parametrize("p", [1e-6, 1e-3, 0.13, 10.0])
def test_the_path_aside_gives_what_the_real_line_gives(q, p):
    """E x/(x + p) has no pole near: both rules are to find it, for signals so long that few gains are not almost 0."""
    law = gain_law(activation("tanh"), q)
    on_line, aside = law.weights @ (law.x / (law.x + p)), law.below_weights @ (law.below / (law.below + p))
    assert abs(aside - on_line) < 1e-9 * on_line
