"""Jacobian laws: closed forms, an independent route by mpmath, simulated nets of unequal widths, bad input."""

from math import erf

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtr

from rmtlottery.meanfield.activations import ACTIVATIONS, Activation, activation
from rmtlottery.spectra.distance import ks_distance
from rmtlottery.spectra.jacobian import JacobianLaw, sparse_excess
from rmtlottery.spectra.masked_products import masked_moments
from tests.conftest import assert_mean

WEIGHTS = ("gaussian", "orthogonal")


def fuss_catalan(order, k):
    return mp.binomial((order + 1) * k, k) / (order * k + 1)


def integrals(law, nodes=300):
    """Of 1, x and x^2 times the density, in log x graded to the edge, from the 1e-6 quantile up."""
    t, weights = np.polynomial.legendre.leggauss(nodes)
    t, weights = (1 + t) / 2, weights / 2
    high, low = np.log(law.edge), np.log(max(lowest(law), 1e-270))
    x = np.exp(high - (high - low) * t**2)
    return (law.pdf(x) * x * 2 * t * (high - low) * weights) @ x[:, None] ** np.arange(3)


def lowest(law):
    return float(law.ppf(law.atom + 1e-6 * (1 - law.atom)))


@pytest.mark.parametrize("depth", [1, 2, 5, 20])
def test_linear_gaussian_is_fuss_catalan(depth):
    law = JacobianLaw(0.7, np.ones(depth), "linear")
    assert_allclose(law.edge, (depth + 1) ** (depth + 1) / depth**depth, rtol=1e-12)
    assert_allclose([law.mean, law.variance, law.second_moment, law.atom], [1, depth, depth + 1, 0], atol=1e-12)
    assert_allclose(integrals(law), [float(fuss_catalan(depth, k)) for k in range(3)], rtol=5e-6)


def test_one_linear_gaussian_layer_is_marchenko_pastur():
    x = np.array([1e-30, 1e-9, 0.2, 3.0, 3.999])
    law = JacobianLaw(2.0, 1.0, "linear")
    assert_allclose(law.pdf(x), np.sqrt((4 - x) / x) / (2 * np.pi), rtol=1e-9)
    assert_allclose(law.cdf(1e-20), 2 / np.pi * 1e-10, rtol=1e-4)


def test_linear_orthogonal_is_one_point():
    law = JacobianLaw(0.3, [0.5, 2.0, 3.0], "linear", "orthogonal")
    assert_allclose([law.mean, law.edge, law.top_atom, law.atom], [9.0, 9.0, 1.0, 0.0], rtol=1e-12)
    assert_allclose([law.variance, law.cdf(8.9), law.cdf(9.1), law.pdf(4.0), law.ppf(0.4)], [0, 0, 1, 0, 9.0], atol=1e-12)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_moments_add_up_over_layers(phi, weights):
    """mu1 and mu2 by the activation's own closed forms; q and sigma_w differ from layer to layer."""
    q, sigma_w, act = np.array([0.05, 1.3, 10.0]), np.array([0.5, 1.7, 3.0]), activation(phi)
    law, mu1, mu2 = JacobianLaw(q, sigma_w, phi, weights), act.D(q), act.D4(q)
    assert_allclose(law.mean, np.prod(sigma_w**2 * mu1), rtol=1e-12)
    assert_allclose(law.variance, np.sum(mu2 / mu1**2 - 1 + (weights == "gaussian")), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("phi", ["tanh", "erf", "hard_tanh", "relu", "gelu", "silu"])
def test_the_density_has_the_moments(phi, weights):
    law = JacobianLaw([0.2, 2.0, 1.0, 0.2], 1.3, phi, weights)
    atoms = np.array([law.atom + law.top_atom, law.top_atom * law.edge, law.top_atom * law.edge**2])
    assert_allclose(atoms + integrals(law), [1, law.mean, law.second_moment], rtol=4e-4)


@pytest.mark.parametrize(("q", "depth", "sigma"), [(0.01, 1, 3.0), (0.01, 50, 0.5), (10.0, 3, 3.0), (1.0, 50, 1.3)])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("phi", ["tanh", "hard_tanh"])
def test_mass_is_one_from_flat_to_saturated(phi, weights, q, depth, sigma):
    law = JacobianLaw(np.full(depth, q), sigma, phi, weights)
    below = float(law.cdf(max(lowest(law), 1e-270) * (1 - 1e-9))) - law.atom
    assert_allclose(law.atom + law.top_atom + below + integrals(law)[0], 1.0, rtol=2e-4)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("phi", ["tanh", "hard_tanh", "leaky_relu", "silu"])
def test_density_is_the_slope_of_the_cdf(phi, weights):
    """The one is Im tau, the other the phase of a determinant."""
    law = JacobianLaw([0.3, 2.0, 1.1], [1.0, 2.0, 1.4], phi, weights)
    x = law.edge * np.array([0.9, 0.3, 0.05])
    step = 1e-4 * x
    assert_allclose(law.pdf(x), (law.cdf(x + step) - law.cdf(x - step)) / (2 * step), rtol=1e-5)


@pytest.mark.parametrize("q", [0.01, 0.4, 10.0])
def test_one_orthogonal_layer_is_the_law_of_the_gains(q):
    sigma, x = 1.3, np.array([0.03, 0.3, 0.9, 0.999])
    z = np.arccosh(x**-0.25) / np.sqrt(q)
    tanh = JacobianLaw(q, sigma, "tanh", "orthogonal")
    assert_allclose(tanh.cdf(sigma**2 * x), 2 * ndtr(-z), atol=1e-5)
    slope = 4 * np.tanh(np.sqrt(q) * z) * x * np.sqrt(q) * sigma**2
    assert_allclose(tanh.pdf(sigma**2 * x), 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / slope, rtol=3e-4, atol=1e-9)
    erf_law = JacobianLaw(q, sigma, "erf", "orthogonal")
    assert_allclose(erf_law.cdf(sigma**2 * 4 / np.pi * x), 2 * ndtr(-np.sqrt(-np.log(x) / 2 / q)), atol=1e-5)
    assert_allclose([tanh.edge, erf_law.edge], [sigma**2, sigma**2 * 4 / np.pi], rtol=1e-12)
    assert tanh.atom == tanh.top_atom == 0


def test_two_orthogonal_relu_layers_make_the_arcsine_law():
    law, x = JacobianLaw(1.0, [1.0, 1.0], "relu", "orthogonal"), np.array([1e-12, 0.1, 0.5, 0.97])
    assert_allclose([law.atom, law.top_atom, law.edge], [0.5, 0, 1])
    assert_allclose(law.pdf(x), 0.5 / (np.pi * np.sqrt(x * (1 - x))), rtol=1e-8)
    assert_allclose(law.cdf(x), 0.5 + np.arcsin(np.sqrt(x)) / np.pi, rtol=1e-12)


@pytest.mark.parametrize(("q", "depth"), [(1.0, 2), (1.0, 3), (1.0, 4), (5.0, 2), (0.2, 30), (5.0, 30)])
def test_hard_tanh_orthogonal_in_closed_form(q, depth):
    """Of two-point gains [Pennington, Schoenholz & Ganguli 2017]: z' = 0 at M = P/(L (1 - P) - 1), or an atom on top."""
    P, sigma = erf(1 / np.sqrt(2 * q)), 1.2
    law = JacobianLaw(q, np.full(depth, sigma), "hard_tanh", "orthogonal")
    shared = 1 - depth * (1 - P)
    edge = 1.0 if shared >= 0 else (1 - P) * P ** (depth - 1) * depth**depth / (depth - 1.0) ** (depth - 1)
    assert_allclose(law.edge, sigma ** (2 * depth) * edge, rtol=1e-12)
    assert_allclose([law.top_atom, law.atom], [max(shared, 0.0), 1 - P], rtol=1e-12, atol=1e-15)
    assert_allclose(law.variance, depth * (1 / P - 1), rtol=1e-12)
    assert_allclose(law.cdf(law.edge * (1 - 1e-6)), 1 - law.top_atom, atol=2e-5)


def gain(phi, h):
    slopes = {"tanh": lambda: mp.sech(h) ** 2, "erf": lambda: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h)}
    return slopes[phi]() ** 2


def over_gains(phi, q, f):
    """E f(x) by tanh-sinh, cut where the integrand turns."""
    root = mp.sqrt(q)
    cuts = [0, 0.001, 0.03, 0.2, 1, 3, 9]
    return 2 * mp.quad(lambda z: f(gain(phi, root * z)) * mp.npdf(z), cuts)


def edge_by_s_transforms(phi, q, sigma, depth, gaussian):
    """z = (1 + M)/M prod 1/S with 1/S = sigma^2 M y/(1 + M) (1 + M); y is the parameter, and the best a root of a slope."""

    def log_z(y):
        M = over_gains(phi, q, lambda x: x / (y - x))
        return mp.log((1 + M) / M) + depth * mp.log(sigma**2 * M * y / (1 + M) * ((1 + M) if gaussian else 1))

    def slope(y):
        M, falls = over_gains(phi, q, lambda x: x / (y - x)), over_gains(phi, q, lambda x: -x / (y - x) ** 2)
        return (1 / (1 + M) - 1 / M + depth * (1 / M - (0 if gaussian else 1 / (1 + M)))) * falls + depth / y

    top = gain(phi, mp.mpf(0))
    best = mp.findroot(lambda t: slope(top * (1 + mp.exp(t))), (-6, 1), solver="anderson", tol=1e-12, verify=False)
    return float(mp.exp(log_z(top * (1 + mp.exp(best)))))


CASES = [("tanh", 0.5, 1.3, 3, True), ("tanh", 0.05, 1.1, 4, False), ("erf", 8.0, 0.9, 2, True), ("erf", 0.5, 1.0, 6, False)]


@pytest.mark.parametrize("case", CASES[:1])
def test_edge_agrees_with_another_route(case):
    phi, q, sigma, depth, gaussian = case
    law = JacobianLaw(q, np.full(depth, sigma), phi, WEIGHTS[not gaussian])
    assert_allclose(law.edge, edge_by_s_transforms(*case), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES[1:])
def test_edges_agree_with_another_route(case):
    test_edge_agrees_with_another_route(case)


def test_atoms_at_zero():
    q = [0.5, 3.0, 1.0]
    assert_allclose(JacobianLaw(q, 1.0, "hard_tanh").atom, 1 - erf(1 / np.sqrt(6)), rtol=1e-14)
    assert JacobianLaw(q, 1.0, "tanh").atom == JacobianLaw(q, 1.0, "leaky_relu").atom == 0
    assert JacobianLaw(q, 1.0, "relu", widths=(24, 80, 50, 60)).atom == 0.6  # of 24 inputs, 40, 25 and 30 live units
    assert_allclose(JacobianLaw(q, 1.0, "relu", widths=(30, 80, 44, 60)).atom, 1 - 22 / 60)
    assert_allclose(JacobianLaw(q, 1.0, widths=(300, 20, 50, 60)).atom, 1 - 20 / 60)


def rotation(rng, rows, columns):
    q, _ = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    return q * np.sqrt(rows / columns) if rows > columns else q.T


def eigenvalues(rng, q, sigma_w, phi, weights, widths):
    act, J = activation(phi), np.eye(widths[0])
    for length, sigma, columns, rows in zip(q, sigma_w, widths, widths[1:], strict=False):
        entries = {
            "gaussian": lambda m, n: rng.standard_normal((m, n)) / np.sqrt(n),
            "orthogonal": lambda m, n: rotation(rng, m, n),
        }
        gains = act.slope(np.sqrt(length) * rng.standard_normal(rows))
        J = gains[:, None] * (sigma * entries[weights](rows, columns) @ J)
    found = np.linalg.svd(J, compute_uv=False) ** 2
    return np.where(found < 1e-24 * found[0], 0.0, found), widths[-1]


def padded(found, rows):
    return np.concatenate([found, np.zeros(rows - len(found))])


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("phi", ["tanh", "hard_tanh"])
@pytest.mark.parametrize("widths", [(100, 150, 200, 125), (200, 150, 80, 120)])
def test_rectangular_nets(phi, weights, widths):
    rng, q, sigma_w = np.random.default_rng(5), (0.5, 1.5, 0.2), (1.2, 0.8, 2.0)
    law = JacobianLaw(q, sigma_w, phi, weights, widths=widths)
    nets = np.array([padded(*eigenvalues(rng, q, sigma_w, phi, weights, widths)) for _ in range(24)])
    means = nets.mean(axis=1)
    assert_mean(means, law.mean, rejects=1.25 * law.mean)
    ratio = (nets**2).mean(axis=1) / np.mean(means) ** 2
    assert_mean(ratio, 1 + law.variance, rejects=1.5 * (1 + law.variance), bias=0.02 * law.variance)
    assert abs(np.mean(nets == 0) - law.atom) < 0.02
    x = law.ppf(law.atom + np.linspace(0.1, 0.9, 9) * (1 - law.atom - law.top_atom))
    assert_allclose([np.mean(nets <= point) for point in x], law.cdf(x), atol=0.012)
    assert 0.8 * law.edge < np.mean(nets.max(axis=1)) < 1.02 * law.edge


@pytest.mark.slow
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("phi", ["tanh", "hard_tanh"])
def test_a_net_of_width_1000(phi, weights):
    rng, q, sigma_w = np.random.default_rng(8), (0.3, 0.9, 2.0, 0.6), (1.2, 0.9, 1.6, 1.1)
    law, rows = JacobianLaw(q, sigma_w, phi, weights), []
    for _ in range(4):
        found, _ = eigenvalues(rng, q, sigma_w, phi, weights, (1000,) * 5)
        rows.append(found)
    nets = np.array(rows)
    variance = nets.var(axis=1) / nets.mean(axis=1) ** 2
    assert_mean(variance, law.variance, rejects=1.3 * law.variance, bias=0.03 * law.variance)
    largest = nets.max(axis=1).mean()
    assert 0.94 * law.edge < largest < 1.02 * law.edge
    assert ks_distance(nets.ravel(), law.cdf) < 0.02


def test_quantiles_are_the_inverse():
    p = np.linspace(0, 1, 23)
    law = JacobianLaw([0.8, 2.0], 1.1, "hard_tanh", widths=(90, 60, 70))
    x = law.ppf(p)
    assert_allclose(law.cdf(x[p > law.atom]), p[p > law.atom], atol=1e-9)
    assert np.all(x[p <= law.atom] == 0)
    assert x[-1] == law.edge


def test_outside_the_support():
    law = JacobianLaw([0.8, 2.0], 1.1, "hard_tanh")
    assert_allclose(law.cdf([-1.0, 0.0, law.edge, np.inf]), [0, law.atom, 1, 1])
    assert_allclose(law.pdf([-1.0, 0.0, law.edge, 2 * law.edge, np.inf]), 0)


def test_layers_commute_at_equal_widths_and_stacks_broadcast():
    one, other = JacobianLaw([0.3, 2.0], [1.0, 2.0]), JacobianLaw([2.0, 0.3], [1.0, 2.0])
    x = np.array([[0.1, 1.0], [2.0, 3.0]])
    assert_allclose(one.pdf(x), other.pdf(x), rtol=1e-9)
    assert_allclose(JacobianLaw(0.3, [1.0, 2.0]).edge, JacobianLaw([0.3, 0.3], [1.0, 2.0], activation("tanh")).edge)
    assert_allclose(one.edge, JacobianLaw([0.3, 2.0], [1.0, 2.0], widths=(7, 7, 7)).edge, rtol=1e-12)


def test_flat_layers_have_the_gain_of_the_origin():
    assert_allclose(JacobianLaw([0.0, 0.0], 1.5, "erf").mean, (1.5**2 * 4 / np.pi) ** 2)
    assert JacobianLaw(0.0, 1.0, "relu").atom == 0.5


def test_an_activation_of_ones_own():
    """tanh(h/2) is tanh at a quarter of the length and half the weights."""
    half = Activation("half", lambda h: np.tanh(h / 2), lambda h: 0.5 * (1 - np.tanh(h / 2) ** 2), bound=1.0, odd=True)
    given, scaled = JacobianLaw([2.0, 1.0], 1.4, half), JacobianLaw([0.5, 0.25], 0.7, "tanh")
    assert_allclose([given.edge, given.mean, given.variance], [scaled.edge, scaled.mean, scaled.variance], rtol=1e-10)
    assert_allclose(given.pdf([0.1, 0.3]), scaled.pdf([0.1, 0.3]), rtol=1e-6)


def test_few_inputs_add_to_the_variance():
    """Against the exact moments, on unequal widths; mean and law stay."""
    widths, density, kurtosis = (400, 250, 300), 0.1, 1.8
    excess = sparse_excess(kurtosis, density, widths[:-1])
    law = JacobianLaw(0.0, 1.5, "tanh", widths=widths, excess=excess)
    exact = masked_moments(widths, 1.5 / np.sqrt(density), density, kurtosis)
    plain = JacobianLaw(0.0, [1.5, 1.5], "tanh", widths=widths)
    assert_allclose(law.variance, exact.variance, rtol=5e-3)
    assert law.variance > plain.variance + 0.1
    assert law.edge == plain.edge
    assert_allclose(law.second_moment, (1 + law.variance) * law.mean**2)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"weights = 'uniform' are not known; take 'gaussian' or 'orthogonal'"):
        JacobianLaw(1.0, 1.0, weights="uniform")
    with pytest.raises(ValueError, match=r"shapes \(2,\), \(3,\), \(1,\) are not a number or one for each"):
        JacobianLaw([1.0, 2.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"2 widths do not go with 2 layers: give n_0 .. n_2, 3 of them"):
        JacobianLaw([1.0, 2.0], 1.0, widths=(3, 4))
    with pytest.raises(ValueError, match=r"sigma = 0.0 is not a finite number above 0"):
        JacobianLaw(1.0, 0.0)
    with pytest.raises(ValueError, match=r"q = -1.0 is not finite and at least 0"):
        JacobianLaw(-1.0, 1.0)
    with pytest.raises(ValueError, match=r"unknown activation 'tanhh': did you mean 'tanh'"):
        JacobianLaw(1.0, 1.0, "tanhh")
    with pytest.raises(ValueError, match=r"density = 0.0, fan_in = 9.0 are no weights"):
        sparse_excess(3.0, 0.0, 9)
    with pytest.raises(ValueError, match=r"1 of the 2 points x are NaN"):
        JacobianLaw(1.0, 1.0).pdf([1.0, np.nan])
