"""Fixed points and phases: known numbers, self-consistency, exact cases, a grid without NaN, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import rmtlottery as rl
from rmtlottery.meanfield import critical_sigma_w, fixed_point
from rmtlottery.meanfield.activations import ACTIVATIONS
from tests.meanfield.test_pairs import plain_pair_mean

meanfield = rl.meanfield
NUMBERS = ("q", "chi", "chi_q", "c", "chi_c", "xi_q", "xi_c", "distance")
POINTS = [(1.4, 0.3), (1.4, 0.3 / 16), (2.5, 0.3), (4.0, 0.3), (0.9, 0.3), (1.2, 1e-4), (0.5, 3.0)]
ROOT2 = np.sqrt(2)
LIFTED = meanfield.Activation("lifted", lambda u: np.tanh(u) / 2 + 0.2, lambda u: (1 - np.tanh(u) ** 2) / 2, bound=0.7)
NAMES = tuple(ACTIVATIONS)
SOFTPLUS = meanfield.Activation("softplus", lambda u: np.logaddexp(0, u), lambda u: 1 / (1 + np.exp(-u)))
ASINH = meanfield.Activation("asinh", np.arcsinh, lambda u: 1 / np.sqrt(1 + u * u))


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


@pytest.mark.parametrize("phi", ["tanh", "erf", "hard_tanh", LIFTED], ids=["tanh", "erf", "hard_tanh", "lifted"])
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


@pytest.mark.parametrize("phi", [*NAMES, SOFTPLUS, ASINH], ids=[*NAMES, "softplus", "asinh"])
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


@pytest.mark.parametrize("phi", ["gelu", "silu", SOFTPLUS], ids=["gelu", "silu", "softplus"])
def test_the_length_is_the_smallest_root_by_a_dense_scan(phi):
    sigma_w, sigma_b = (
        np.array([0.3, 1, 1.38, 1.395, 1.4, 1.41, 1.42, 1.6, 2.2])[:, None],
        np.array([0.05, 0.3, 0.6, 0.9, 2]),
    )
    found = fixed_point(sigma_w, sigma_b, phi).q
    scan = np.logspace(-4, 9, 13001)
    gap = meanfield.length_map(scan, sigma_w[..., None], sigma_b[:, None], phi) - scan
    first = np.argmax(gap < 0, axis=-1)
    assert np.array_equal(np.isfinite(found), np.any(gap < 0, axis=-1))
    assert np.all((first == 0) | (found < scan[first] * (1 + 1e-12)))
    assert np.all((first == 0) | (found > scan[first - 1] * (1 - 1e-12)))


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(1.39, 0.4), (1.3, 0.9), (1.41, 3.0), (1.414, 1.0), (0.7, 0.2)])
@pytest.mark.parametrize("phi", ["gelu", "silu", "softplus"])
def test_unbounded_maps_stand_still_and_their_slopes_are_differences(phi, sigma_w, sigma_b):
    act = SOFTPLUS if phi == "softplus" else phi
    point = fixed_point(sigma_w, sigma_b, act)
    assert_allclose(meanfield.length_map(point.q, sigma_w, sigma_b, act), point.q, rtol=1e-13)
    h = 1e-4 * point.q
    low, high = meanfield.length_map([point.q - h, point.q + h], sigma_w, sigma_b, act)
    assert_allclose(point.chi_q, (high - low) / (2 * h), rtol=1e-6)
    assert point.chi_q < 1


@pytest.mark.parametrize("phi", ["gelu", "silu"])
@pytest.mark.parametrize("below", [1e-3, 1e-6, 1e-9])
def test_on_either_side_of_the_fold(phi, below):
    """At q_f, chi_q = 1 and Q = q: two roots meet, q - q_f = +- sqrt(excess), and beyond there is none."""
    q, act = 2.0, ACTIVATIONS[phi]
    sigma_w = 1 / np.sqrt(act.V_slope(q))
    bias = q - sigma_w**2 * act.V(q)
    at = fixed_point(sigma_w, np.sqrt(bias * (1 + np.array([-below, below]))), phi)
    bent = sigma_w**2 * (act.V_slope(q * 1.001) - act.V_slope(q * 0.999)) / (0.002 * q)
    assert_allclose(at.q[0], q - np.sqrt(2 * bias * below / bent), rtol=20 * below)
    assert at.chi_q[0] < 1
    assert at.q[1] > 2 * q if sigma_w < ROOT2 else at.q[1] == np.inf
    assert at.chi_q[1] < 1 if sigma_w < ROOT2 else at.chi_q[1] > 1


@pytest.mark.parametrize("phi", ["gelu", "silu"])
def test_gelu_and_silu_without_bias_die_or_diverge(phi):
    point = fixed_point([0, 1.9, 2, 2.001, 3], 0, phi)
    assert point.q.tolist() == [0, 0, 0, np.inf, np.inf]
    assert point.phase.tolist() == ["ordered", "ordered", "critical", "divergent", "divergent"]
    assert_allclose(point.chi, [0, 1.9**2 / 4, 1, 2.001**2 / 2, 4.5], rtol=1e-14)
    assert_allclose(point.chi_c[3:], 1)
    assert np.all(point.c == 1)


def test_a_divergent_net_is_met_by_limits():
    point = fixed_point(1.5, 0.5, "gelu")
    assert point.phase == "divergent"
    assert (point.q, point.c, point.chi_c, point.xi_c, point.distance) == (np.inf, 1, 1, np.inf, 0)
    assert_allclose([point.chi, point.chi_q], 1.125, rtol=1e-15)


def test_a_curve_that_grows_slowly_has_a_chaotic_phase():
    point = fixed_point([0.9, 1.5, 4], [[0.0], [0.3]], ASINH)
    assert point.q[0, 0] == 0
    assert np.array_equal(point.phase, [["ordered", "chaotic", "chaotic"]] * 2)
    assert_allclose(meanfield.length_map(point.q, [0.9, 1.5, 4], [[0.0], [0.3]], ASINH), point.q, rtol=1e-13)
    assert np.all(point.chi_q < 1)


@pytest.mark.parametrize("sigma_b", [1e-8, 1e-3, 0.3])
def test_hard_tanh_at_its_edge_comes_to_rest(sigma_b):
    point = fixed_point(1.0, sigma_b, "hard_tanh")
    assert point.chi < 1 + 1e-12
    assert_allclose(meanfield.length_map(point.q, 1.0, sigma_b, "hard_tanh"), point.q, rtol=1e-13)


@pytest.mark.parametrize("phi", ["tanh", "erf", "hard_tanh"])
@pytest.mark.parametrize("above", [0.5, 1e-3, 1e-6])
def test_an_odd_phi_without_bias_forgets_all_correlation_right_up_to_its_edge(phi, above):
    """C(0) = 0 and C is convex: c* = 0 exactly wherever chi > 1, be it by little."""
    point = fixed_point(critical_sigma_w(0.0, phi) * (1 + above), 0.0, phi)
    if point.chi > 1 + 1e-11:
        assert (point.c, point.distance) == (0, 1)
        assert point.chi_c == pytest.approx(1 if above < 1e-2 else point.chi_c, abs=1e-2)
        assert point.xi_c > 0


def test_a_map_that_turns_back_has_a_depth_scale_too():
    """chi_q < 0 for an even phi: deviations change sign from layer to layer, and shrink by |chi_q|."""
    cos = rl.meanfield.Activation("cos", np.cos, lambda h: -np.sin(h), bound=1.0, limit=20)
    point = fixed_point(1.4, [0.0, 0.1], cos)
    assert np.all(point.chi_q < 0)
    assert_allclose(point.xi_q, -1 / np.log(-point.chi_q), rtol=1e-12)


def test_a_generous_bound_costs_nothing():
    tanh = ACTIVATIONS["tanh"]
    mine = rl.meanfield.Activation("mine", tanh.phi, tanh.slope, bound=1e3)
    assert_allclose(fixed_point(1.4, 0.3, mine).q, fixed_point(1.4, 0.3).q, rtol=1e-13)


@pytest.mark.parametrize("phi", [np.tanh, None, 3])
def test_what_is_no_activation_is_refused(phi):
    with pytest.raises(ValueError, match=r"is neither a name nor an Activation\(name, phi, slope\)"):
        fixed_point(1.4, 0.3, phi)


def test_sigmas_beyond_all_use_are_refused():
    with pytest.raises(ValueError, match=r"sigma_w = 1e\+200 is beyond 1e\+50"):
        fixed_point(1e200, 0.0)
