"""T7 to T9: covariances through phi against integrals and closed forms, whole courses against nets that are simulated."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf

from rmtlottery.meanfield import activation
from rmtlottery.meanfield.mixture import Mixture, after, farthest, mixture_course, mixture_of
from rmtlottery.meanfield.quenched import Quenched, Units, forget_means, quenched_course
from tests.conftest import assert_mean

MEAN = np.array([[0.7, -0.4, 0.1, 1.5]])
STD = np.array([1.2, 0.5, 0.9, 0.2])
RHO = np.array([[1, 0.6, -0.8, 0.3], [0.6, 1, -0.2, 0.5], [-0.8, -0.2, 1, 0.1], [0.3, 0.5, 0.1, 1]])
LAW = Mixture(np.ones(1), MEAN, (RHO * np.outer(STD, STD))[None])
PHI = {"tanh": np.tanh, "relu": lambda h: np.maximum(h, 0), "erf": erf, "linear": lambda h: h}


def integrals(f, law):
    """E f(h_i) and Cov(f(h_i), f(h_j)) on a plane of independent z, by sums that converge faster than any power."""
    z = np.linspace(-9, 9, 361)
    chance = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    units, mean, std = len(STD), law.mean[0], np.sqrt(np.diagonal(law.covariance[0]))
    one = np.array([chance @ f(mean[i] + std[i] * z) for i in range(units)])
    both = np.empty((units, units))
    for i in range(units):
        for j in range(units):
            rho = law.covariance[0, i, j] / std[i] / std[j]
            other = rho * z[:, None] + np.sqrt(max(1 - rho**2, 0)) * z
            both[i, j] = chance * f(mean[i] + std[i] * z) @ f(mean[j] + std[j] * other) @ chance
    return one, both - np.outer(one, one)


def test_mean_and_covariance_are_those_of_integrals_over_the_plane():
    mean, covariance = after(LAW, activation("tanh"), terms=60)
    one, both = integrals(np.tanh, LAW)
    assert_allclose(mean[0], one, rtol=1e-9)
    assert_allclose(covariance[0], both, atol=1e-9)


@pytest.mark.parametrize(("phi", "error"), [("tanh", 3e-5), ("erf", 2e-4), ("relu", 2e-3)])
def test_seven_terms_are_enough_for_these(phi, error):
    _, covariance = after(LAW, activation(phi), terms=7)
    _, both = integrals(PHI[phi], LAW)
    assert_allclose(covariance[0], both, atol=error)
    assert abs(after(LAW, activation(phi), terms=1)[1][0] - both).max() > 3 * error, "one term is worse"


def test_it_is_what_samples_have():
    h = np.random.default_rng(0).multivariate_normal(MEAN[0], LAW.covariance[0], 60000)
    mean, covariance = after(LAW, activation("tanh"), terms=7)
    x = np.tanh(h) - mean[0]
    for i, j in ((0, 1), (0, 2), (1, 3), (2, 2)):
        slopes = (1 / np.cosh(h) ** 2).mean(0)
        assert_mean(x[:, i] * x[:, j], covariance[0, i, j], rejects=0.9 * covariance[0, i, j])
        if (i, j) == (0, 2):
            linear = slopes[i] * slopes[j] * LAW.covariance[0, i, j]
            assert_mean(x[:, i] * x[:, j], covariance[0, i, j], rejects=linear)


def test_linear_units_keep_mean_and_covariance_with_one_term():
    mean, covariance = after(LAW, activation("linear"), terms=1)
    assert_allclose(mean, MEAN, rtol=1e-12)
    assert_allclose(covariance, LAW.covariance, rtol=1e-11, atol=1e-13)


def test_erf_without_means_has_the_arcsine():
    law = LAW._replace(mean=np.zeros((1, 4)))
    _, covariance = after(law, activation("erf"), terms=80)
    scale = np.sqrt(1 + 2 * STD**2)
    exact = 2 / np.pi * np.arcsin(2 * law.covariance[0] / np.outer(scale, scale))
    assert_allclose(covariance[0], exact, atol=1e-7)


def test_one_term_is_linear_response_between_units_and_exact_within_one():
    _, covariance = after(LAW, activation("tanh"), terms=1)
    z = np.linspace(-9, 9, 2001)
    chance = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    slopes = (1 / np.cosh(MEAN[0][:, None] + STD[:, None] * z) ** 2) @ chance
    response = np.outer(slopes, slopes) * LAW.covariance[0]
    apart = ~np.eye(4, dtype=bool)
    assert_allclose(covariance[0][apart], response[apart], rtol=1e-9)
    assert_allclose(np.diagonal(covariance[0]), np.diagonal(integrals(np.tanh, LAW)[1]), rtol=1e-9)


def test_units_that_never_change_are_correlated_with_nothing():
    held = np.zeros((1, 4, 4))
    held[0, 0, 0] = 1.0
    mean, covariance = after(Mixture(np.ones(1), MEAN, held), activation("tanh"), terms=7)
    assert_allclose(mean[0, 1:], np.tanh(MEAN[0, 1:]), rtol=1e-12)
    assert_allclose(covariance[0, 1:], 0, atol=1e-13)
    assert np.all(np.isfinite(covariance))


WIDTHS = (50, 320, 240, 170)


@pytest.fixture(scope="module")
def net():
    """Layers of unequal widths, each with a part aligned with what it is given, and their correlated Gaussian inputs."""
    rng = np.random.default_rng(4)
    mixing = rng.standard_normal((50, 50)) * np.linspace(0.3, 1.6, 50) / np.sqrt(50)
    centre = 0.4 * rng.standard_normal(50)
    x = centre + rng.standard_normal((4000, 50)) @ mixing.T
    layers, given = [], x
    for a, b in pairwise(WIDTHS):
        common = np.linalg.eigh(np.cov(given, rowvar=False))[1][:, -4:]
        w = rng.standard_normal((b, a)) / np.sqrt(a) + 1.0 * rng.standard_normal((b, 4)) @ common.T / np.sqrt(a)
        layers.append((w, 0.3 * rng.standard_normal(b)))
        given = np.tanh(given @ w.T + layers[-1][1])
    w, b = layers[0]
    start = Mixture(np.ones(1), (w @ centre + b)[None], (w @ mixing @ mixing.T @ w.T)[None])
    fresh = centre + rng.standard_normal((4000, 50)) @ mixing.T
    return layers, start, fresh, (centre, mixing)


def measured(layers, x):
    """Input by input, (q, chi) of every layer."""
    for w, b in layers:
        h = x @ w.T + b
        yield np.mean(h**2, axis=1), np.mean(np.sum(w**2, axis=1) / np.cosh(h) ** 4, axis=1)
        x = np.tanh(h)


def test_a_course_is_that_of_a_simulated_net_where_T5_is_far_off(net):
    layers, start, x, (centre, mixing) = net
    found = list(mixture_course(layers, start, "tanh"))
    square = centre**2 + np.sum(mixing**2, axis=1)
    quenched = [Quenched(*(lambda u, w=w**power: u @ w.T for power in (1, 2, 4)), b) for w, b in layers]
    given = Units(*(np.array([moment]) for moment in (centre, square, 3 * square**2)))
    profile = list(quenched_course(quenched, given, "tanh", forget_means))
    for place, (q, chi) in enumerate(measured(layers, x)):
        assert_mean(q, found[place].q, rejects=profile[place].q, bias=0.01 * found[place].q)
        assert_mean(chi, found[place].chi, rejects=profile[place].chi, bias=0.02 * found[place].chi)
        assert found[place].gain == pytest.approx(np.sum(layers[place][0] ** 2) / WIDTHS[place + 1], rel=1e-12)


def two_classes(seed=6):
    """Two narrow Gaussians far apart, one three times as common, and a second layer that adds up what tells them apart."""
    rng = np.random.default_rng(seed)
    share, centres = np.array([0.75, 0.25]), 1.5 * rng.standard_normal((2, 30))
    w1, b1 = 1.4 * rng.standard_normal((90, 30)) / np.sqrt(30), 0.3 * rng.standard_normal(90)
    apart = np.tanh(w1 @ centres[0] + b1) - np.tanh(w1 @ centres[1] + b1)
    w2 = rng.standard_normal((70, 90)) / np.sqrt(90) + np.outer(rng.standard_normal(70), apart) / 45
    layers = [(w1, b1), (w2, 0.3 * rng.standard_normal(70))]
    mean, within = centres @ w1.T + b1, 0.2 * w1 @ w1.T
    labels = (np.arange(6000) % 4 == 3).astype(int)
    x = centres[labels] + np.sqrt(0.2) * rng.standard_normal((6000, 30))
    return layers, Mixture(share, mean, np.stack([within, within])), x


def test_of_two_classes_one_gaussian_is_wrong_and_a_mixture_is_right():
    layers, mixed, x = two_classes()
    middle = mixed.share @ mixed.mean
    between = np.einsum("k,ki,kj->ij", mixed.share, mixed.mean - middle, mixed.mean - middle)
    one = Mixture(np.ones(1), middle[None], (mixed.covariance[0] + between)[None])
    right, wrong = (list(mixture_course(layers, law, "tanh")) for law in (mixed, one))
    assert right[0].q == pytest.approx(wrong[0].q, rel=1e-10), "of layer 1 both know the second moment"
    q, chi = list(measured(layers, x))[1]
    assert_mean(q, right[1].q, rejects=wrong[1].q, bias=0.003 * right[1].q)
    assert_mean(chi, right[1].chi, rejects=wrong[1].chi, bias=0.003 * right[1].chi)


def test_shares_weigh_the_components():
    layers, mixed, _ = two_classes()
    steps = [list(mixture_course(layers, Mixture(np.ones(1), *(p[k : k + 1] for p in mixed[1:])), "tanh")) for k in (0, 1)]
    both = list(mixture_course(layers, mixed, "tanh"))
    for place in (0, 1):
        assert both[place].q == pytest.approx(0.75 * steps[0][place].q + 0.25 * steps[1][place].q, rel=1e-12)
        assert both[place].chi == pytest.approx(0.75 * steps[0][place].chi + 0.25 * steps[1][place].chi, rel=1e-12)
    assert steps[0][1].q != pytest.approx(steps[1][1].q, rel=0.02)


def test_the_farthest_direction_of_a_linear_net_is_a_singular_vector():
    rng = np.random.default_rng(9)
    w = [rng.standard_normal(shape) for shape in ((12, 5), (9, 12), (7, 9))]
    root = np.tril(rng.standard_normal((12, 12)))
    layers = [(each, np.zeros(len(each))) for each in w]
    isotropic = Mixture(np.ones(1), np.zeros((1, 12)), np.eye(12)[None])
    way = farthest(layers, isotropic, "linear")[0]
    top = np.linalg.svd(w[2] @ w[1])[2][0]
    assert abs(way @ top) == pytest.approx(np.linalg.norm(way), rel=1e-10)
    way = farthest(layers, isotropic._replace(covariance=(root @ root.T)[None]), "linear")[0]
    top = np.linalg.svd(w[2] @ w[1] @ root)[0][:, 0] @ w[2] @ w[1]
    assert abs(way @ top) == pytest.approx(np.linalg.norm(way) * np.linalg.norm(top), rel=1e-10)


def test_saturated_units_carry_nothing_far():
    """Linear response: a unit whose slope is 0 has no part in the direction."""
    layers = [(np.ones((3, 2)), np.zeros(3)), (np.array([[9.0, 1.0, 0.5]]), np.zeros(1))]
    law = Mixture(np.ones(2) / 2, np.array([[30.0, 0, 0], [0, 0, 0]]), np.stack([np.eye(3)] * 2) * 0.01)
    saturated, free = farthest(layers, law, "tanh")
    assert abs(saturated[0]) < 1e-8 * abs(saturated[1])
    assert abs(free[0]) == pytest.approx(9 * abs(free[1]), rel=1e-3)


def test_a_mixture_is_made_of_groups_of_samples():
    rng = np.random.default_rng(1)
    groups = [rng.standard_normal((30, 4)) + 2, 3 * rng.standard_normal((10, 4))]
    got = mixture_of(groups)
    assert_allclose(got.share, [0.75, 0.25])
    for place, group in enumerate(groups):
        apart = group - group.mean(0)
        assert_allclose(got.mean[place], group.mean(0))
        assert_allclose(got.covariance[place], apart.T @ apart / len(group), rtol=1e-12)
        assert_allclose(got.variance[place], group.var(0), rtol=1e-12)
    assert mixture_of([groups[0][:, :1]]).covariance.shape == (1, 1, 1)


@pytest.mark.parametrize("groups", [[], [np.ones((5, 3)), np.ones((1, 3))]])
def test_a_group_of_one_sample_has_no_covariance(groups):
    with pytest.raises(ValueError, match=r"a covariance takes two samples or more of each group, not \["):
        mixture_of(groups)


def test_layers_that_do_not_chain_are_refused():
    law = Mixture(np.ones(1), np.zeros((1, 4)), np.eye(4)[None])
    good, bad = (np.ones((4, 2)), np.zeros(4)), (np.ones((3, 5)), np.zeros(3))
    with pytest.raises(ValueError, match=r"layers of shapes \[\(4, 2\), \(3, 5\)\] do not chain from 4 units of h\^1"):
        list(mixture_course([good, bad], law, "tanh"))
    with pytest.raises(ValueError, match=r"do not chain from 4 units of h\^1"):
        list(mixture_course([bad], law, "tanh"))


@pytest.mark.parametrize("groups", [[np.ones(5)], [np.ones((3, 2)), np.ones((3, 4))], [np.array([[np.nan], [1.0]])]])
def test_groups_are_finite_samples_of_as_many_units(groups):
    with pytest.raises(ValueError, match="groups are finite samples"):
        mixture_of(groups)
