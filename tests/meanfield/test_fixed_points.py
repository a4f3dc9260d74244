"""Fixed points and phases: known numbers, self-consistency, exact cases, a grid without NaN, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import rmtlottery as rl
from rmtlottery.meanfield import critical_sigma_w, fixed_point
from tests.meanfield.test_gaussian import plain_pair_mean

meanfield = rl.meanfield
NUMBERS = ("q", "chi", "chi_q", "c", "chi_c", "xi_q", "xi_c")
POINTS = [(1.4, 0.3), (1.4, 0.3 / 16), (2.5, 0.3), (4.0, 0.3), (0.9, 0.3), (1.2, 1e-4), (0.5, 3.0)]
ROOT2 = np.sqrt(2)
LIFTED = meanfield.Activation("lifted", lambda u: np.tanh(u) / 2 + 0.2, lambda u: (1 - np.tanh(u) ** 2) / 2, bound=0.7)


# q, chi, chi_q by mpmath at 30 digits; c, chi_c by scipy's brentq on a plain trapezoid rule in the plane
@pytest.mark.parametrize(
    ("sigma_w", "sigma_b", "q", "chi", "chi_q", "c", "chi_c"),
    [
        (1.4, 0.3, 0.7712720193962441, 1.002664676121615, 0.4505380671573337, 0.98863938667, 0.99736335993),
        (1.4, 0.3 / 16, 0.5912231466609449, 1.099644117506975, 0.5606755208428134, 0.0136356038611, 0.9564048373512),
        (2.5, 0.3, 4.079123875282246, 1.585224765006033, 0.2339220455825911, 0.1221037473056, 0.8222291727236),
        (4.0, 0.3, 12.60414949784429, 2.367261035545882, 0.130082102326235, 0.0296959215803, 0.7597436050122),
        (0.9, 0.3, 0.216524634250657, 0.60037125469198, 0.4341630325772541, 1, 0.60037125469198),
    ],
)
def test_known_numbers_of_tanh(sigma_w, sigma_b, q, chi, chi_q, c, chi_c):
    point = fixed_point(sigma_w, sigma_b)
    assert_allclose([point.q, point.chi, point.chi_q], [q, chi, chi_q], rtol=1e-11)
    assert_allclose([point.c, point.chi_c], [c, chi_c], rtol=1e-9)
    assert_allclose([point.xi_q, point.xi_c], [-1 / np.log(chi_q), -1 / np.log(chi_c)], rtol=1e-7)


def test_the_source_study_sits_at_the_edge_only_with_its_bias_undivided():
    assert round(float(fixed_point(1.4, 0.3).chi), 4) == 1.0027
    assert round(float(fixed_point(1.4, 0.3 / 16).chi), 4) == 1.0996
    assert round(float(fixed_point(1.4, 0.3 / 16).c), 3) == 0.014
    assert round(float(critical_sigma_w(0.3 / 16)), 3) == 1.064


def test_erf_at_the_edge_of_tanh_is_chaotic():
    point = fixed_point(1.4, 0.3, "erf")
    expected = 1.96 * 4 / np.pi / np.sqrt(1 + 4 * point.q)
    assert_allclose(point.chi, expected, rtol=1e-12)
    assert point.chi > 1.01
    assert point.phase == "chaotic"


@pytest.mark.parametrize("phi", ["tanh", "erf", LIFTED], ids=["tanh", "erf", "lifted"])
@pytest.mark.parametrize(("sigma_w", "sigma_b"), POINTS)
def test_the_maps_stand_still(phi, sigma_w, sigma_b):
    point = fixed_point(sigma_w, sigma_b, phi)
    assert_allclose(meanfield.length_map(point.q, sigma_w, sigma_b, phi), point.q, rtol=1e-12)
    assert_allclose(meanfield.correlation_map(point.c, point.q, sigma_w, sigma_b, phi), point.c, rtol=1e-11)


@pytest.mark.parametrize("phi", ["tanh", "erf"])
@pytest.mark.parametrize(("sigma_w", "sigma_b"), POINTS)
def test_chi_q_and_chi_c_are_slopes_of_the_maps(phi, sigma_w, sigma_b):
    point = fixed_point(sigma_w, sigma_b, phi)
    q, c, h = point.q, point.c, 1e-4

    low, high = meanfield.length_map([q * (1 - h), q * (1 + h)], sigma_w, sigma_b, phi)
    assert_allclose(point.chi_q, (high - low) / (2 * h * q), rtol=1e-6)
    shifts, weights = ([-h, h], [-1, 1]) if c + h < 1 else ([-2 * h, -h, 0], [1, -4, 3])  # one-sided at c = 1
    slope = meanfield.correlation_map(c + np.array(shifts), q, sigma_w, sigma_b, phi) @ weights / (2 * h)
    assert_allclose(point.chi_c, slope, rtol=1e-6)


@pytest.mark.parametrize("phi", ["tanh", "erf"])
def test_deep_signals_reach_the_fixed_point_at_its_rate(phi):
    point = fixed_point(1.8, 0.3, phi)
    q = meanfield.trajectory(point.q * 1.01, 6, 1.8, 0.3, phi)
    assert_allclose((q[5] - point.q) / (q[4] - point.q), np.exp(-1 / point.xi_q), rtol=1e-3)
    c = [point.c + 0.001]
    for _ in range(12):
        c.append(meanfield.correlation_map(c[-1], point.q, 1.8, 0.3, phi))
    assert_allclose((c[12] - point.c) / (c[11] - point.c), np.exp(-1 / point.xi_c), rtol=1e-3)


def test_below_the_critical_line_c_is_one_and_above_it_is_not():
    sigma_b = np.array([1e-3, 0.3, 2.0])
    edge = critical_sigma_w(sigma_b)
    below, above = fixed_point(edge * 0.999, sigma_b), fixed_point(edge * 1.001, sigma_b)
    assert np.all(below.chi < 1)
    assert np.all(below.c == 1)
    assert_allclose(below.chi_c, below.chi, rtol=1e-12)
    assert set(np.ravel(below.phase)) == {"ordered"}
    assert np.all(above.chi > 1)
    assert np.all(above.c < 1)
    assert np.all(above.chi_c < 1)
    assert set(np.ravel(above.phase)) == {"chaotic"}


@pytest.mark.parametrize("excess", [1e-4, 1e-5, 1e-6])
def test_c_leaves_one_in_proportion_to_the_excess_of_chi(excess):
    sigma_w = critical_sigma_w(0.3) * (1 + excess)
    point = fixed_point(sigma_w, 0.3)
    curvature = plain_pair_mean(lambda u: -2 * np.tanh(u) / np.cosh(u) ** 2, float(point.q), 1.0)
    assert_allclose(1 - point.c, 2 * (point.chi - 1) / (point.q * sigma_w**2 * curvature), rtol=1e-2)


@pytest.mark.parametrize("sigma_w", [0, 0.3, 0.999, 1])
def test_weak_tanh_without_bias_dies_exactly(sigma_w):
    point = fixed_point(sigma_w, 0)
    assert point.q == 0
    assert point.c == 1
    assert_allclose([point.chi, point.chi_q, point.chi_c], sigma_w**2, rtol=1e-12)
    assert point.phase == ("critical" if sigma_w == 1 else "ordered")
    assert point.xi_c == np.inf if sigma_w == 1 else point.xi_c < np.inf


@pytest.mark.parametrize("phi", ["tanh", "erf"])
def test_strong_weights_without_bias_decorrelate(phi):
    point = fixed_point(2.0, 0, phi)
    assert point.q > 0.5
    assert_allclose(point.c, 0, atol=1e-12)
    assert point.phase == "chaotic"


@pytest.mark.parametrize("sigma_b", [0, 0.3, 5])
@pytest.mark.parametrize("sigma_w", [0, 0.5, 1.4])
def test_relu_below_its_edge(sigma_w, sigma_b):
    point = fixed_point(sigma_w, sigma_b, "relu")
    assert_allclose(point.q, sigma_b**2 / (1 - sigma_w**2 / 2), rtol=1e-12)
    assert point.c == 1
    assert_allclose([point.chi, point.chi_q, point.chi_c], sigma_w**2 / 2, rtol=1e-12)
    assert point.phase == "ordered"


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(1.5, 0), (1.5, 0.3), (4, 0.3), (ROOT2, 0.3)])
def test_relu_beyond_its_edge_diverges_but_keeps_c_at_one(sigma_w, sigma_b):
    point = fixed_point(sigma_w, sigma_b, "relu")
    assert point.phase == "divergent"
    assert (point.q, point.c, point.chi_c, point.xi_c) == (np.inf, 1, 1, np.inf)
    assert_allclose([point.chi, point.chi_q], sigma_w**2 / 2, rtol=1e-12)
    assert point.xi_q < 0 if sigma_w > ROOT2 else point.xi_q == np.inf  # negative: lengths run away


def test_relu_at_its_edge_without_bias_keeps_every_length():
    point = fixed_point(ROOT2, 0, "relu")
    assert point.phase == "degenerate"
    assert (point.c, point.xi_q, point.xi_c) == (1, np.inf, np.inf)
    assert_allclose([point.chi, point.chi_q, point.chi_c], 1, rtol=1e-12)


def test_leaky_relu_of_a_user():
    act = meanfield.Activation
    leaky = act("leaky", lambda u: np.maximum(u, u / 5), lambda u: np.where(u > 0, 1, 0.2), homogeneous=True)
    point = fixed_point(np.array([1.0, 1.3, 1.5]), 0.3, leaky)
    assert_allclose(point.q[:2], 0.09 / (1 - np.array([1.0, 1.69]) * 1.04 / 2), rtol=1e-10)
    assert_allclose(point.chi, np.array([1.0, 1.69, 2.25]) * 1.04 / 2, rtol=1e-10)
    assert point.phase.tolist() == ["ordered", "ordered", "divergent"]
    assert_allclose(critical_sigma_w(0.3, leaky), np.sqrt(2 / 1.04), rtol=1e-10)


@pytest.mark.parametrize("phi", ["tanh", "erf", "relu"])
def test_never_nan_on_a_broad_grid(phi):
    sigma_w, sigma_b = np.linspace(0, 6, 13)[:, None], np.array([0, 1e-8, 0.3, 30])
    point = fixed_point(sigma_w, sigma_b, phi)
    for name in NUMBERS:
        value = np.asarray(getattr(point, name))
        assert (value.shape, value.dtype) == ((13, 4), np.float64), name
        assert not np.isnan(value).any(), name
    assert np.shape(point.phase) == (13, 4)
    assert np.all(point.q >= sigma_b**2)
    assert np.all((point.c >= 0) & (point.c <= 1))
    assert np.all(point.chi_c <= 1 + 1e-12)
    chaotic = np.isfinite(point.q) & (point.chi > 1 + 1e-12)
    assert np.array_equal(point.c < 1, chaotic)
    assert set(np.ravel(point.phase)) <= {"ordered", "critical", "chaotic", "divergent", "degenerate"}
    assert np.array_equal(np.asarray(point.phase) == "chaotic", chaotic)


def test_critical_sigma_w_of_tanh_and_erf():
    assert_allclose(critical_sigma_w([0.3, 0.3 / 16]), [1.395583975154902, 1.063981237323407], rtol=1e-11)
    assert_allclose([critical_sigma_w(0), critical_sigma_w(0, "erf")], [1, np.sqrt(np.pi) / 2], rtol=1e-10)


@pytest.mark.parametrize("phi", ["tanh", "erf"])
def test_chi_is_one_on_the_critical_line(phi):
    sigma_b = np.array([[1e-4, 0.01], [0.3, 1.0], [3.0, 10.0]])
    edge = critical_sigma_w(sigma_b, phi)
    assert edge.shape == (3, 2)
    assert_allclose(fixed_point(edge, sigma_b, phi).chi, 1, rtol=1e-10)


def test_critical_sigma_w_of_relu_is_root_two_at_every_bias():
    assert_allclose(critical_sigma_w(np.array([0, 0.3, 7]), "relu"), ROOT2, rtol=1e-14)


def test_an_unbounded_curve_has_no_fixed_point_here():
    softplus = meanfield.Activation("softplus", lambda u: np.logaddexp(0, u), lambda u: 1 / (1 + np.exp(-u)))
    assert np.isfinite(meanfield.length_map(1.0, 1.4, 0.3, softplus))
    with pytest.raises(ValueError, match=r"softplus.*bounded"):
        fixed_point(1.4, 0.3, softplus)
