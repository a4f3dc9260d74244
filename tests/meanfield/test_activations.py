"""Activations: V, D, K and their slopes against mpmath, closed forms and finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf

from rmtlottery.meanfield.activations import ACTIVATIONS, Activation, activation
from tests.meanfield.test_gaussian import plain_pair_mean

mp = pytest.importorskip("mpmath")

NAMES = ("tanh", "erf", "relu")
Q = (1e-6, 0.3, 10.0, 1e4)
C = (-0.99, -0.3, 0.0, 0.5, 0.999)
BARE_ERF = Activation("bare erf", erf, lambda u: 2 / np.sqrt(np.pi) * np.exp(-(u**2)), bound=1.0)
BARE_SIN = Activation("sin", np.sin, np.cos, bound=1.0)

PHI = {"tanh": mp.tanh, "erf": mp.erf, "relu": lambda u: max(u, mp.mpf(0))}
SLOPE = {
    "tanh": lambda u: mp.sech(u) ** 2,
    "erf": lambda u: 2 / mp.sqrt(mp.pi) * mp.exp(-u * u),
    "relu": lambda u: mp.mpf(u > 0),
}
# E phi(u2) and E phi'(u2) of u2 ~ N(m, v), what is left of the pair when u1 is given
GIVEN = {
    ("erf", "K"): lambda m, v: mp.erf(m / mp.sqrt(1 + 2 * v)),
    ("erf", "K_slope"): lambda m, v: 2 / mp.sqrt(mp.pi * (1 + 2 * v)) * mp.exp(-m * m / (1 + 2 * v)),
    ("relu", "K"): lambda m, v: m * mp.ncdf(m / mp.sqrt(v)) + mp.sqrt(v) * mp.npdf(m / mp.sqrt(v)),
    ("relu", "K_slope"): lambda m, v: mp.ncdf(m / mp.sqrt(v)),
}


def exact_mean(f, q):
    """E f(sqrt(q) z) to about 20 digits, cut where a function of unit scale turns."""
    root = mp.sqrt(q)
    cuts = sorted({mp.mpf(0), *(mp.mpf(k) / root for k in (0.3, 1, 3, 10, 30) if k / root < 12), 1, 3, 6, 12})
    with mp.workdps(20):
        return float(mp.quad(lambda z: (f(root * z) + f(-root * z)) * mp.npdf(z), cuts))


def exact_pair_mean(name, kind, q, c):
    q, c = mp.mpf(q), mp.mpf(c)
    f, given = (PHI if kind == "K" else SLOPE)[name], GIVEN[name, kind]
    return exact_mean(lambda u: f(u) * given(c * u, q * (1 - c * c)) if f(u) else mp.mpf(0), q)


@pytest.mark.parametrize("q", Q)
@pytest.mark.parametrize("name", NAMES)
def test_means_of_one_signal_against_mpmath(name, q):
    phi, slope, act = PHI[name], SLOPE[name], ACTIVATIONS[name]
    assert_allclose(act.V(q), exact_mean(lambda u: phi(u) ** 2, q), rtol=1e-10)
    assert_allclose(act.D(q), exact_mean(lambda u: slope(u) ** 2, q), rtol=1e-10)
    assert_allclose(act.V_slope(q), exact_mean(lambda u: phi(u) ** 2 * (u * u / q - 1), q) / (2 * q), rtol=1e-10)


@pytest.mark.parametrize("c", [-0.99, 0.0, 0.5, 0.999])
@pytest.mark.parametrize("q", [1e-6, 10.0, 1e4])
@pytest.mark.parametrize("kind", ["K", "K_slope"])
@pytest.mark.parametrize("name", ["erf", "relu"])
def test_means_of_two_signals_against_mpmath(name, kind, q, c):
    assert_allclose(getattr(ACTIVATIONS[name], kind)(q, c), exact_pair_mean(name, kind, q, c), rtol=1e-10, atol=1e-17)


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
        square_mean=lambda q: q + 1, slope_square_mean=lambda q: q + 2,
        pair_mean=lambda q, c: q + c + 3, slope_pair_mean=lambda q, c: q + c + 4,
    )  # fmt: skip
    assert [float(x) for x in (mine.V(1.0), mine.D(1.0), mine.K(1.0, 0.5), mine.K_slope(1.0, 0.5))] == [2, 3, 4.5, 5.5]


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
    assert_allclose(act.K_slope(q, 1.0), act.D(q), rtol=1e-12)


@pytest.mark.parametrize(("name", "sign"), [("tanh", -1), ("erf", -1), ("relu", 0)])
def test_opposite_signals(name, sign):
    act, q = ACTIVATIONS[name], np.array(Q)
    assert_allclose(act.K(q, -1.0), sign * act.V(q), rtol=1e-12, atol=1e-20)


@pytest.mark.parametrize("name", NAMES)
def test_slope_is_the_slope_of_phi(name):
    act, u = ACTIVATIONS[name], np.array([-3, -0.7, 0.2, 1.0, 4.0])
    assert_allclose(act.slope(u), (act.phi(u + 1e-5) - act.phi(u - 1e-5)) / 2e-5, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_huge_arguments_give_no_warning(name):
    assert np.all(np.isfinite(ACTIVATIONS[name].slope(np.array([-1e5, -800.0, 0.0, 800.0, 1e5]))))


@pytest.mark.parametrize(("name", "D"), [("tanh", 1), ("erf", 4 / np.pi), ("relu", 0.5)])
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
