"""Activations: V, D, K and their slopes against mpmath, closed forms and finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf

from rmtlottery.meanfield import gaussian_mean
from rmtlottery.meanfield.activations import ACTIVATIONS, Activation, activation
from tests.meanfield.test_pairs import plain_pair_mean

mp = pytest.importorskip("mpmath")

NAMES = ("tanh", "erf", "relu", "leaky_relu", "hard_tanh", "linear", "gelu", "silu")
Q = (1e-6, 0.3, 10.0, 1e4)
C = (-0.99, -0.3, 0.0, 0.5, 0.999)
BARE_ERF = Activation("bare erf", erf, lambda u: 2 / np.sqrt(np.pi) * np.exp(-(u**2)), bound=1.0)
BARE_SIN = Activation("sin", np.sin, np.cos, bound=1.0, limit=20)

A = mp.mpf(0.01)
PHI = {
    "tanh": mp.tanh,
    "erf": mp.erf,
    "relu": lambda u: max(u, mp.mpf(0)),
    "leaky_relu": lambda u: max(u, A * u),
    "hard_tanh": lambda u: max(mp.mpf(-1), min(mp.mpf(1), u)),
    "linear": mp.mpf,
    "gelu": lambda u: u * mp.ncdf(u),
    "silu": lambda u: u / (1 + mp.exp(-u)),
}
SLOPE = {
    "tanh": lambda u: mp.sech(u) ** 2,
    "erf": lambda u: 2 / mp.sqrt(mp.pi) * mp.exp(-u * u),
    "relu": lambda u: mp.mpf(u > 0),
    "leaky_relu": lambda u: mp.mpf(1) if u > 0 else A,
    "hard_tanh": lambda u: mp.mpf(abs(u) < 1),
    "linear": lambda u: mp.mpf(1),
    "gelu": lambda u: mp.ncdf(u) + u * mp.npdf(u),
    "silu": lambda u: (1 + u / (1 + mp.exp(u))) / (1 + mp.exp(-u)),
}


def lifted(m, v):
    """E max(u, 0) of u ~ N(m, v)."""
    return m * mp.ncdf(m / mp.sqrt(v)) + mp.sqrt(v) * mp.npdf(m / mp.sqrt(v))


# E phi(u2) and E phi'(u2) of u2 ~ N(m, v), what is left of the pair when u1 is given
GIVEN = {
    ("erf", "K"): lambda m, v: mp.erf(m / mp.sqrt(1 + 2 * v)),
    ("erf", "K_slope"): lambda m, v: 2 / mp.sqrt(mp.pi * (1 + 2 * v)) * mp.exp(-m * m / (1 + 2 * v)),
    ("relu", "K"): lifted,
    ("relu", "K_slope"): lambda m, v: mp.ncdf(m / mp.sqrt(v)),
    ("leaky_relu", "K"): lambda m, v: (1 - A) * lifted(m, v) + A * m,
    ("leaky_relu", "K_slope"): lambda m, v: (1 - A) * mp.ncdf(m / mp.sqrt(v)) + A,
    ("hard_tanh", "K"): lambda m, v: lifted(m + 1, v) - lifted(m - 1, v) - 1,
    ("hard_tanh", "K_slope"): lambda m, v: mp.ncdf((1 - m) / mp.sqrt(v)) - mp.ncdf((-1 - m) / mp.sqrt(v)),
    ("linear", "K"): lambda m, v: m,
    ("linear", "K_slope"): lambda m, v: mp.mpf(1),
    ("gelu", "K"): lambda m, v: m * mp.ncdf(m / mp.sqrt(1 + v)) + v / mp.sqrt(1 + v) * mp.npdf(m / mp.sqrt(1 + v)),
    ("gelu", "K_slope"): lambda m, v: mp.diff(lambda x: GIVEN["gelu", "K"](x, v), m),
}


def exact_mean(f, q, *turns):
    """E f(sqrt(q) z) to about 20 digits, cut where a function of unit scale turns, and at further |z|."""
    root = mp.sqrt(q)
    ends = [k / root for k in (0.3, 1, 3, 10, 30)] + [1, 3, 6, *turns]
    cuts = sorted({mp.mpf(0), mp.mpf(12), *(mp.mpf(end) for end in ends if 0 < end < 12)})
    with mp.workdps(20):
        return float(mp.quad(lambda z: (f(root * z) + f(-root * z)) * mp.npdf(z), cuts))


def exact_pair_mean(name, kind, q, c, q2):
    """The second integrated in closed form; it turns around |c u1| sqrt(q2/q1) = 1, as wide as what it is left to vary."""
    q, q2, c = mp.mpf(q), mp.mpf(q2), mp.mpf(c)
    f, given = (PHI if kind == "K" else SLOPE)[name], GIVEN[name, kind]
    spread = mp.sqrt(1 - c * c)
    turns = [abs((at / mp.sqrt(q2) + wide * spread) / c) for at in (0, 1) for wide in (-3, -1, 0, 1, 3)] if c else []
    return exact_mean(lambda u: f(u) * given(c * u * mp.sqrt(q2 / q), q2 * (1 - c * c)) if f(u) else mp.mpf(0), q, *turns)


@pytest.mark.parametrize("q", [1e-6, 0.37, 21.0, 1e4])
@pytest.mark.parametrize("name", NAMES)
def test_means_of_one_signal_against_mpmath(name, q):
    phi, slope, act = PHI[name], SLOPE[name], ACTIVATIONS[name]
    assert_allclose(act.V(q), exact_mean(lambda u: phi(u) ** 2, q), rtol=1e-11)
    assert_allclose(act.D(q), exact_mean(lambda u: slope(u) ** 2, q), rtol=1e-11)
    assert_allclose(act.V4(q), exact_mean(lambda u: phi(u) ** 4, q), rtol=1e-11)
    assert_allclose(act.D4(q), exact_mean(lambda u: slope(u) ** 4, q), rtol=1e-11)
    assert_allclose(act.V_slope(q), exact_mean(lambda u: phi(u) ** 2 * (u * u / q - 1), q) / (2 * q), rtol=1e-11)


@pytest.mark.parametrize(
    ("q", "c", "q2"), [(1e-6, 0.5, 1e-6), (3.0, -0.99, 3.0), (1e4, 0.999, 1e4), (1e4, 0.0, 2.0), (5.0, 0.9, 0.4)]
)
@pytest.mark.parametrize("kind", ["K", "K_slope"])
@pytest.mark.parametrize("name", sorted({name for name, _ in GIVEN}))
def test_means_of_two_signals_against_mpmath(name, kind, q, c, q2):
    act = ACTIVATIONS[name]
    size = 1e-3 * np.sqrt(act.V(q) * act.V(q2) if kind == "K" else act.D(q) * act.D(q2))
    assert_allclose(getattr(act, kind)(q, c, q2), exact_pair_mean(name, kind, q, c, q2), rtol=1e-10, atol=1e-10 * size)


@pytest.mark.parametrize(("name", "c"), [("tanh", 0.95), ("silu", -0.6)])
def test_a_pair_by_mpmath_alone(name, c):
    q1, q2 = 1.3, 0.6
    with mp.workdps(20):
        points = [mp.mpf(k) / 4 for k in range(-36, 37)]  # a trapezoid rule: the error is exp(-2 pi^2 16)
        first = [PHI[name](mp.sqrt(q1) * x) * mp.npdf(x) / 4 for x in points]
        second = lambda x: sum(PHI[name](mp.sqrt(q2) * (c * x + mp.sqrt(1 - c * c) * y)) * mp.npdf(y) / 4 for y in points)  # noqa: E731
        exact = float(sum(weight * second(x) for weight, x in zip(first, points, strict=True)))
    assert_allclose(ACTIVATIONS[name].K(q1, c, q2), exact, rtol=1e-12)


@pytest.mark.parametrize("q", [1e-6, 0.3, 10.0, 1e3])
@pytest.mark.parametrize("c", [-0.99, 0.5, 0.999])
def test_silu_means_of_two_signals_against_the_plain_rule(q, c):
    silu = ACTIVATIONS["silu"]
    assert_allclose(silu.K(q, c), plain_pair_mean(silu.phi, q, c), rtol=1e-10, atol=1e-13 * silu.V(q))
    assert_allclose(silu.K_slope(q, c), plain_pair_mean(silu.slope, q, c), rtol=1e-10, atol=1e-13 * silu.D(q))


@pytest.mark.parametrize("c", [-0.99, -0.3, 0.5, 0.999])
@pytest.mark.parametrize("q", [1e-6, 0.3, 10.0, 1e3])
def test_tanh_means_of_two_signals_against_the_plain_rule(q, c):
    tanh = ACTIVATIONS["tanh"]
    assert_allclose(tanh.K(q, c), plain_pair_mean(np.tanh, q, c), rtol=1e-10)
    expected = plain_pair_mean(lambda u: np.cosh(np.clip(u, -300, 300)) ** -2.0, q, c)
    assert_allclose(tanh.K_slope(q, c), expected, rtol=1e-10)


@pytest.mark.parametrize("c", [*C, 1.0])
@pytest.mark.parametrize("q", Q)
def test_bare_erf_agrees_with_its_closed_forms(q, c):
    wide = 1 + 2 * q
    assert_allclose(BARE_ERF.V(q), 2 / np.pi * np.arcsin(2 * q / wide), rtol=1e-10)
    assert_allclose(BARE_ERF.D(q), 4 / np.pi / np.sqrt(1 + 4 * q), rtol=1e-10)
    assert_allclose(BARE_ERF.V_slope(q), 4 / np.pi / (wide * np.sqrt(1 + 4 * q)), rtol=1e-10)
    assert_allclose(BARE_ERF.K(q, c), 2 / np.pi * np.arcsin(2 * q * c / wide), rtol=1e-10, atol=1e-16)
    assert_allclose(BARE_ERF.K_slope(q, c), 4 / np.pi / np.sqrt(wide**2 - 4 * q**2 * c**2), rtol=1e-10)


@pytest.mark.parametrize("q", [1e-6, 0.3, 10.0])
def test_sine_given_by_a_user(q):
    c = np.array(C)
    assert_allclose(BARE_SIN.V(q), -np.expm1(-2 * q) / 2, rtol=1e-10)
    assert_allclose(BARE_SIN.D(q), (1 + np.exp(-2 * q)) / 2, rtol=1e-10)
    assert_allclose(BARE_SIN.V_slope(q), np.exp(-2 * q), rtol=1e-6, atol=1e-13)
    assert_allclose(BARE_SIN.K(q, c), np.exp(-q) * np.sinh(q * c), rtol=1e-10, atol=1e-13)
    assert_allclose(BARE_SIN.K_slope(q, c), np.exp(-q) * np.cosh(q * c), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_users_closed_form_is_used(name):
    act = ACTIVATIONS[name]
    mine = Activation(
        "mine", act.phi, act.slope, bound=act.bound,
        square_mean=lambda q: 1.01 * act.V(q), slope_square_mean=lambda q: 1.02 * act.D(q),
        pair_mean=lambda p, q, c: 1.03 * act.K(p, c, q), slope_pair_mean=lambda p, q, c: 1.04 * act.K_slope(p, c, q),
        square_slope=lambda q: 1.05 * act.V_slope(q), fourth_mean=lambda q: 1.06 * act.V4(q),
        slope_fourth_mean=lambda q: 1.07 * act.D4(q),
    )  # fmt: skip
    assert mine.K(2.0, 0.5, 1.0) == pytest.approx(1.03 * act.K(2.0, 0.5, 1.0), rel=1e-12)
    assert mine.K_slope(1.0, 0.5) == pytest.approx(1.04 * act.K_slope(1.0, 0.5), rel=1e-12)
    for form, times in (("V", 1.01), ("D", 1.02), ("V_slope", 1.05), ("V4", 1.06), ("D4", 1.07)):
        assert getattr(mine, form)(3.0) == pytest.approx(times * getattr(act, form)(3.0), rel=1e-12)


@pytest.mark.parametrize("q", [1e-3, 0.3, 10.0, 1e3])
@pytest.mark.parametrize("name", [*NAMES, "bare"])
def test_slopes_are_finite_differences(name, q):
    act = BARE_ERF if name == "bare" else ACTIVATIONS[name]
    h, step = 1e-4 * q, 1e-4
    assert_allclose(act.V_slope(q), (act.V(q + h) - act.V(q - h)) / (2 * h), rtol=1e-6)
    for c in (-0.9, -0.3, 0.0, 0.5, 0.9):
        assert_allclose(q * act.K_slope(q, c), (act.K(q, c + step) - act.K(q, c - step)) / (2 * step), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_equal_signals_are_one_signal(name):
    act, q = ACTIVATIONS[name], np.array(Q)
    assert_allclose(act.K(q, 1.0), act.V(q), rtol=1e-12)
    assert_allclose(act.K(q, 0.0), gaussian_mean(act.phi, q) ** 2, rtol=1e-12, atol=1e-28)
    assert_allclose(act.K(q, 0.3, 2 * q), act.K(2 * q, 0.3, q), rtol=1e-13)
    assert_allclose(act.K_slope(q, 1.0), act.D(q), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "sign"),
    [("tanh", -1), ("erf", -1), ("hard_tanh", -1), ("linear", -1), ("relu", 0), ("leaky_relu", -0.01 / 0.50005)],
)
def test_opposite_signals(name, sign):
    act, q = ACTIVATIONS[name], np.array(Q)
    assert_allclose(act.K(q, -1.0), sign * act.V(q), rtol=1e-12, atol=1e-20)


@pytest.mark.parametrize("name", NAMES)
def test_slope_is_the_slope_of_phi(name):
    act, u = ACTIVATIONS[name], np.array([-3, -0.7, 0.2, 1.1, 4.0])
    assert_allclose(act.slope(u), (act.phi(u + 1e-5) - act.phi(u - 1e-5)) / 2e-5, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_huge_arguments_give_no_warning(name):
    assert np.all(np.isfinite(ACTIVATIONS[name].slope(np.array([-1e5, -800.0, 0.0, 800.0, 1e5]))))


@pytest.mark.parametrize(
    ("name", "D"),
    [
        ("tanh", 1),
        ("erf", 4 / np.pi),
        ("relu", 0.5),
        ("leaky_relu", 0.50005),
        ("hard_tanh", 1),
        ("linear", 1),
        ("gelu", 0.25),
        ("silu", 0.25),
    ],
)
def test_no_variance(name, D):
    assert float(ACTIVATIONS[name].V(0.0)) == 0
    assert_allclose(ACTIVATIONS[name].D(0.0), D, rtol=1e-12)
    assert_allclose(ACTIVATIONS[name].V_slope(0.0), D, rtol=1e-12)


@pytest.mark.parametrize("act", [*map(activation, NAMES), BARE_ERF], ids=lambda act: act.name)
def test_q_and_c_broadcast(act):
    q, c = np.array([[0.1], [1.0], [5.0]]), np.array([-0.5, 0.5])
    assert act.K(q, c).shape == act.K_slope(q, c).shape == (3, 2)
    assert act.V(q).shape == act.D(q).shape == act.V_slope(q).shape == (3, 1)
    assert_allclose(act.K(q, c)[1, 0], act.K(1.0, -0.5), rtol=1e-13)


def test_activation_by_name_or_itself():
    assert activation("tanh") is ACTIVATIONS["tanh"]
    assert activation(BARE_ERF) is BARE_ERF


@pytest.mark.parametrize(("typo", "meant"), [("tahn", "tanh"), ("erff", "erf"), ("rellu", "relu")])
def test_a_misspelt_name_is_met_with_the_right_one(typo, meant):
    with pytest.raises(ValueError, match=rf"(?i){typo}.*did you mean.*{meant}"):
        activation(typo)


@pytest.mark.parametrize("method", ["V", "D", "V4", "D4", "V_slope"])
@pytest.mark.parametrize("name", NAMES)
def test_a_length_that_is_none_is_refused(name, method):
    for bad in (np.inf, np.nan, -1.0):
        with pytest.raises(ValueError, match=f"q = {bad} is not finite and at least 0"):
            getattr(ACTIVATIONS[name], method)(bad)


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_a_curve_that_grows_is_like_relu_at_large_lengths_and_a_bounded_one_is_refused(name):
    act, q = ACTIVATIONS[name], np.array([1e6, 1e9, 1e12])
    assert_allclose([act.V(q) / q, act.V_slope(q)], 0.5, rtol=3e-9 if name == "gelu" else 1e-7)
    assert_allclose(act.D(q), 0.5, rtol=1e-2)
    with pytest.raises(ValueError, match="is beyond"):
        ACTIVATIONS["tanh"].V(1e6)
