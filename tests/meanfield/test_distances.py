"""1 - c* near the edge of chaos: against mpmath, and one way of finding it against the other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield import critical_sigma_w, fixed_point
from rmtlottery.meanfield.activations import ACTIVATIONS, Activation
from rmtlottery.meanfield.distances import by_integral, by_series, gap, missed, polynomial
from rmtlottery.meanfield.pairs import TERMS

mp = pytest.importorskip("mpmath")


def exact_erf(sigma_w, sigma_b):
    """chi, 1 - c* and 1 - chi_c of erf from its closed forms."""
    w2, b2, two = mp.mpf(sigma_w) ** 2, mp.mpf(sigma_b) ** 2, mp.mpf(2)
    q = mp.findroot(
        lambda q: w2 * 2 / mp.pi * mp.asin(2 * q / (1 + 2 * q)) + b2 - q,
        mp.mpf(fixed_point(sigma_w, sigma_b, "erf").q.item()),
    )
    chi = w2 * 4 / mp.pi / mp.sqrt(1 + 4 * q)

    def g(eps):
        arc = [mp.asin(2 * q * c / (1 + 2 * q)) for c in (1, 1 - eps)]
        return w2 * two / mp.pi * (arc[0] - arc[1]) / (q * eps) - 1

    bend = (chi - 1 - g(mp.mpf("1e-15"))) / mp.mpf("1e-15")
    eps = mp.findroot(g, (chi - 1) / bend)
    return chi, eps, 1 - w2 * 4 / mp.pi / mp.sqrt((1 + 2 * q) ** 2 - (2 * q * (1 - eps)) ** 2)


@pytest.mark.parametrize("bare", [False, True], ids=["closed", "by series"])
@pytest.mark.parametrize("excess", [1e-2, 1e-5, 1e-8])
@pytest.mark.parametrize("sigma_b", [0.2, 1.0])
def test_erf_near_its_edge_against_mpmath(sigma_b, excess, bare):
    act = ACTIVATIONS["erf"]
    sigma_w = float(critical_sigma_w(sigma_b, "erf")) * (1 + excess)
    with mp.workdps(50):
        chi, eps, rest = (float(x - 1) if i == 0 else float(x) for i, x in enumerate(exact_erf(sigma_w, sigma_b)))
    point = fixed_point(sigma_w, sigma_b, Activation("bare", act.phi, act.slope, bound=1.0) if bare else act)
    assert_allclose(point.distance, eps, rtol=3e-14 / chi)
    assert_allclose(1 / point.xi_c, rest + rest**2 / 2 + rest**3 / 3, rtol=3e-14 / chi + rest**3)


def test_tanh_near_its_edge_against_mpmath():
    sigma_w, sigma_b = 1.3956, 0.3
    point = fixed_point(sigma_w, sigma_b)
    with mp.workdps(20):
        q, w2, grid = mp.mpf(point.q.item()), mp.mpf(sigma_w) ** 2, [mp.mpf(k) / 5 for k in range(-43, 44)]
        normal = [mp.npdf(x) / 5 for x in grid]  # a trapezoid rule, of error below 1e-17 here

        def g(eps):
            wide, narrow = mp.sqrt(q * (1 - eps / 2)), mp.sqrt(q * eps / 2)
            total = mp.mpf(0)
            for x, a in zip(grid, normal, strict=True):
                pairs = (
                    (mp.tanh(wide * x + narrow * y) - mp.tanh(wide * x - narrow * y), b)
                    for y, b in zip(grid[44:], normal[44:], strict=True)
                )
                total += a * sum(b * d * d for d, b in pairs)
            return w2 * total / (q * eps) - 1

        near = mp.mpf(point.distance.item())
        slope = (g(near * 2) - g(near)) / near
        off = float(g(near) / slope / near)
    assert point.chi - 1 < 3e-5
    assert abs(off) < 1e-10


@pytest.mark.parametrize("name", ["tanh", "silu"])
def test_both_ways_agree_where_the_series_is_right(name):
    act, sigma_w = ACTIVATIONS[name], np.array([1.72, 1.62, 1.9, 1.7])
    q = np.array([1.0, 1.3, 2.0, 6.0])
    sigma_w = np.sqrt([1.001, 1.05, 1.3, 1.6] / act.D(q))
    for terms in TERMS:
        distance, slope, right = by_series(sigma_w, q, sigma_w**2 * act.D(q), act, terms)
        assert right.sum() >= 2
        expected = by_integral(sigma_w[right], q[right], act)
        assert_allclose(distance[right], expected[0], rtol=1e-10)
        assert_allclose(slope[right], expected[1], rtol=1e-12)


def test_a_series_that_is_too_short_does_not_pass_for_right():
    act, q = ACTIVATIONS["tanh"], np.array([60.0, 8.0])
    sigma_w = np.sqrt([1.001, 1.0001] / act.D(q))
    distance, _, right = by_series(sigma_w, q, sigma_w**2 * act.D(q), act, 128)
    assert not right.any()
    assert np.all(np.abs(distance / by_integral(sigma_w, q, act)[0] - 1) > 1e-9)


def test_what_is_missed_bounds_what_further_terms_add():
    tail = 0.9 ** np.arange(129, 4000)  # a_n^2 beyond 128 terms
    for distance in (0.01, 0.1, 0.5):
        sums = (1 - distance) ** np.arange(129, 4000) @ np.cumsum(tail[::-1])[::-1] * 0.9
        assert missed(np.array([tail.sum()]), np.array([distance]), 128)[0] >= sums
    assert missed(np.array([1e-30]), np.array([1e-3]), 128)[0] == np.inf


@pytest.mark.parametrize("distance", [1e-9, 1e-4, 0.3, 1.0])
@pytest.mark.parametrize("name", ["erf", "hard_tanh"])
def test_the_gap_keeps_its_digits(name, distance):
    act, q = ACTIVATIONS[name], np.array([0.3, 2.0])
    found = gap(q, np.full(2, distance), act)
    if name == "erf":
        with mp.workdps(40):
            exact = [
                mp.asin(2 * x / (1 + 2 * x)) - mp.asin(2 * x * (1 - mp.mpf(distance)) / (1 + 2 * x)) for x in map(mp.mpf, q)
            ]
        assert_allclose(found, [float(2 / mp.pi * x) for x in exact], rtol=1e-13)
    elif distance > 1e-3:
        assert_allclose(found, act.V(q) - act.K(q, 1 - distance), rtol=1e-13)
    else:
        assert_allclose(found, q * distance * act.D(q), rtol=2 * np.sqrt(distance))


def test_polynomial_and_slope():
    value, slope = polynomial(np.array([[1.0], [2.0], [3.0]]), np.array([0.5]))
    assert (value[0], slope[0]) == (2.75, 5.0)
