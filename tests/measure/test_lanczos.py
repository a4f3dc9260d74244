"""Lanczos quadrature against matrices whose eigenvalues are known, and products against Jacobians written out."""

import numpy as np
import pytest
import torch

from rmtlottery.measure.lanczos import gauss_rule, jacobian_products, lanczos_quadrature, tridiagonal
from rmtlottery.refusal import Refusal
from tests.conftest import assert_mean


def symmetric(eigenvalues, seed=0):
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(eigenvalues),) * 2))[0]
    return torch.from_numpy(basis * eigenvalues @ basis.T)


def products(matrix):
    return lambda v: matrix @ v


def generator(seed=0):
    return np.random.default_rng(seed)


def test_one_rule_has_the_moments_of_its_probe_up_to_twice_its_steps_less_one():
    matrix = symmetric(np.random.default_rng(1).uniform(-1, 2, 40))
    start = torch.from_numpy(generator().standard_normal(40))
    for steps in (1, 2, 5):
        nodes, weights = gauss_rule(*tridiagonal(products(matrix), start, steps))
        assert len(nodes) == steps
        powers = [torch.linalg.matrix_power(matrix, k) for k in range(2 * steps + 1)]
        moments = [(start @ power @ start / (start @ start)).item() for power in powers]
        found = [(weights * nodes**k).sum() for k in range(2 * steps + 1)]
        np.testing.assert_allclose(found[:-1], moments[:-1], rtol=1e-10)
        assert abs(found[-1] / moments[-1] - 1) > 1e-4, "the next moment is not the rule's"


def test_with_as_many_steps_as_the_side_the_nodes_are_the_eigenvalues():
    eigenvalues = np.sort(np.random.default_rng(2).uniform(-1, 2, 12))
    nodes, weights = lanczos_quadrature(products(symmetric(eigenvalues)), 12, 3, 50, generator())
    np.testing.assert_allclose(nodes.reshape(3, 12), np.tile(eigenvalues, (3, 1)), atol=1e-12)
    assert weights.sum() == pytest.approx(1, rel=1e-12)


def test_the_mean_of_a_function_is_right_and_strays_as_it_says():
    """300 probes, each by itself: their mean is the spectrum's, their spread sqrt(2 var(f) / dim)."""
    eigenvalues, dim = np.random.default_rng(3).uniform(0.5, 2, 60), 60
    nodes, weights = lanczos_quadrature(products(symmetric(eigenvalues)), dim, 300, 12, generator())
    means = (np.log(nodes) * weights * 300).reshape(300, 12).sum(1)
    expected = np.log(eigenvalues).mean()
    assert_mean(means, expected, rejects=1.2 * expected)
    spread = 2 * np.log(eigenvalues).var() / dim
    assert_mean((means - expected) ** 2, spread, rejects=1.5 * spread)


def test_the_largest_eigenvalue_is_found_long_before_the_side_is_reached():
    eigenvalues = np.append(np.random.default_rng(4).uniform(0, 1, 399), 1.3)
    nodes, _ = lanczos_quadrature(products(symmetric(eigenvalues)), 400, 2, 40, generator())
    assert nodes.max() == pytest.approx(1.3, rel=1e-9)
    assert np.sum(nodes > 1.1) == 2, "an eigenvalue that has been found does not come back as a ghost"


def test_a_graded_spectrum_has_no_ghosts_either():
    """Without orthogonalisation the largest of these comes back again and again; every node is one eigenvalue."""
    eigenvalues = 10.0 ** np.linspace(-8, 0, 30)
    nodes, _ = lanczos_quadrature(products(symmetric(eigenvalues)), 30, 1, 30, generator())
    np.testing.assert_allclose(np.sort(nodes), eigenvalues, atol=1e-14)


def test_it_stops_where_the_next_direction_is_none():
    """Three different eigenvalues, the zero of all among them: three nodes, with the shares of their spaces."""
    eigenvalues = np.repeat([0.0, 1.0, 5.0], [10, 20, 30])
    nodes, weights = lanczos_quadrature(products(symmetric(eigenvalues)), 60, 100, 20, generator())
    assert len(nodes) == 100 * 3
    np.testing.assert_allclose(nodes.reshape(100, 3), np.tile([0, 1, 5], (100, 1)), atol=1e-12)
    for place, share in enumerate([1 / 6, 1 / 3, 1 / 2]):
        assert_mean(100 * weights.reshape(100, 3)[:, place], share, rejects=1.3 * share)


def test_nothing_has_one_eigenvalue():
    nodes, weights = lanczos_quadrature(torch.zeros_like, 7, 2, 5, generator())
    assert (nodes == 0).all()
    assert np.array_equal(weights, [0.5, 0.5])


def test_the_same_generator_gives_the_same_density():
    matrix = products(symmetric(np.arange(9.0)))
    one, same, other = (lanczos_quadrature(matrix, 9, 2, 4, generator(seed))[0] for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(("outward", "inward"), [(5, 8), (8, 5)])
def test_products_are_those_of_the_smaller_side(outward, inward):
    w = torch.randn(outward, inward, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.randn(1, inward, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    product, dim = jacobian_products(lambda x: torch.erf(x @ w.T), x)
    jacobian = torch.autograd.functional.jacobian(lambda x: torch.erf(w @ x), x[0])
    expected = jacobian.T @ jacobian if inward < outward else jacobian @ jacobian.T
    assert dim == 5
    found = torch.stack([product(v) for v in torch.eye(5, dtype=torch.float64)])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


def test_products_of_pictures_know_the_density_of_their_jacobian():
    kernel = torch.randn(3, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    function = lambda x: torch.nn.functional.max_pool2d(torch.tanh(torch.conv2d(x, kernel, padding=1)), 2)  # noqa: E731
    product, dim = jacobian_products(function, x)
    jacobian = torch.autograd.functional.jacobian(function, x).reshape(12, 40)
    nodes, _ = lanczos_quadrature(product, dim, 1, 12, generator())
    np.testing.assert_allclose(np.sort(nodes), torch.linalg.svdvals(jacobian).square().flip(0).numpy(), rtol=1e-8)


@pytest.mark.parametrize(("dim", "probes", "steps"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_numbers_below_1_are_refused(dim, probes, steps):
    with pytest.raises(Refusal, match=f"dim = {dim}, probes = {probes}, steps = {steps}: each is at least 1"):
        lanczos_quadrature(torch.zeros_like, dim, probes, steps, generator())


def test_a_product_that_is_no_number_is_refused():
    with pytest.raises(Refusal, match="a product has the length nan, of which no spectrum can be told"):
        lanczos_quadrature(lambda v: v * torch.nan, 4, 1, 3, generator())
