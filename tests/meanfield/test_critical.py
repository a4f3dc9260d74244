"""The critical line: known numbers, chi = 1 on it, where gelu and silu are stable on it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield import critical_line, critical_sigma_w, fixed_point
from rmtlottery.meanfield.activations import ACTIVATIONS

ROOT2 = np.sqrt(2)


def test_critical_sigma_w_of_tanh_and_erf():
    assert_allclose(critical_sigma_w([0.3, 0.3 / 16]), [1.395583975154902, 1.063981237323407], rtol=1e-11)
    assert_allclose([critical_sigma_w(0), critical_sigma_w(0, "erf")], [1, np.sqrt(np.pi) / 2], rtol=1e-10)


@pytest.mark.parametrize("phi", ["tanh", "erf", "hard_tanh"])
def test_chi_is_one_on_the_critical_line(phi):
    sigma_b = np.array([[1e-4, 0.01], [0.3, 1.0], [3.0, 10.0]])
    edge = critical_sigma_w(sigma_b, phi)
    assert edge.shape == (3, 2)
    assert_allclose(fixed_point(edge, sigma_b, phi).chi, 1, rtol=1e-10)


def test_critical_sigma_w_of_relu_is_root_two_at_every_bias():
    assert_allclose(critical_sigma_w(np.array([0, 0.3, 7]), "relu"), ROOT2, rtol=1e-14)


@pytest.mark.parametrize("phi", ["tanh", "erf", "hard_tanh", "gelu", "silu"])
def test_the_line_and_its_inverse_agree(phi):
    line = critical_line(np.array([[0.05, 0.7], [20.0, 300.0]]), phi)
    assert line.q.shape == line.sigma_w.shape == line.sigma_b.shape == line.stable.shape == (2, 2)
    assert_allclose(critical_sigma_w(line.sigma_b, phi), line.sigma_w, rtol=1e-11)
    assert_allclose(line.sigma_w**2 * ACTIVATIONS[phi].V(line.q) + line.sigma_b**2, line.q, rtol=1e-14)
    assert_allclose(line.sigma_w**2 * ACTIVATIONS[phi].D(line.q), 1, rtol=1e-14)
    reached = fixed_point(line.sigma_w, line.sigma_b, phi)
    assert_allclose(reached.q[line.stable], line.q[line.stable], rtol=1e-10)
    assert np.all(reached.q[~line.stable] != line.q[~line.stable])


@pytest.mark.parametrize(("phi", "edge", "least"), [("gelu", 0.41584, 1.39850), ("silu", 0.74508, 1.40249)])
def test_where_gelu_and_silu_are_stable_on_the_line(phi, edge, least):
    line = critical_line(np.logspace(-5, 5, 20001), phi)
    assert np.all(np.diff(line.sigma_b) > 0)
    assert np.all(np.diff(line.stable.astype(int)) >= 0)
    assert not line.stable[0]
    assert_allclose(line.sigma_b[line.stable].min(), edge, atol=2e-4)
    assert_allclose(line.sigma_w.min(), least, atol=1e-5)


def test_below_that_a_net_on_the_line_has_a_shorter_signal_in_the_ordered_phase():
    at = fixed_point(critical_sigma_w(0.3, "gelu"), 0.3, "gelu")
    assert at.chi < 0.99
    assert at.phase == "ordered"
    assert fixed_point(critical_sigma_w(0.3, "gelu") * 1.05, 0.3, "gelu").phase == "divergent"


def test_every_point_of_tanhs_line_is_stable_and_none_of_relus():
    assert np.all(critical_line([1e-3, 1.0, 1e4]).stable)
    line = critical_line([1e-3, 1.0, 1e4], "leaky_relu")
    assert not line.stable.any()
    assert_allclose(line.sigma_b, 0, atol=0)


def test_what_is_left_of_a_small_bias_is_never_below_zero():
    for name in ACTIVATIONS:
        assert np.all(critical_line(np.logspace(-12, -1, 500), name).sigma_b >= 0)


def test_a_bias_beyond_the_line_is_refused():
    with pytest.raises(ValueError, match=r"sigma_b = 1e.04 puts the critical line beyond q = 100000"):
        critical_sigma_w(1e4)
    with pytest.raises(ValueError, match=r"q = -1.0 is not finite and at least 0"):
        critical_line(-1.0)


def test_gelus_line_turns_stable_at_half_of_three_and_root_17():
    q = (3 + np.sqrt(17)) / 2  # where dV/dq = D, from the closed forms of both
    assert critical_line(q * np.array([1 - 1e-12, 1 + 1e-12]), "gelu").stable.tolist() == [False, True]
