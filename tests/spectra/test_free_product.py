"""Free products of measured spectra: simulated rotations of unequal shapes, closed forms, atoms, wide ranges, bad input."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.free_product import Factor, FreeProduct, gaussian, orthogonal
from rmtlottery.spectra.jacobian import JacobianLaw
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from tests.conftest import assert_mean


def frame(rng, rows, columns):
    """rows x columns, orthonormal on the long side, Haar distributed."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


def realised(rng, squares, rows, columns):
    """A matrix of these squared singular values, its bases random."""
    k = min(rows, columns)
    return frame(rng, rows, k) @ (np.sqrt(squares)[:, None] * frame(rng, k, columns))


def simulated(rng, factors, draws):
    """(draws, n_L) eigenvalues of J J^T, each matrix in random bases."""
    found = []
    for _ in range(draws):
        J = np.eye(factors[0][2])
        for squares, rows, columns in factors:
            J = realised(rng, squares, rows, columns) @ J
        squares = np.linalg.svd(J, compute_uv=False) ** 2
        found.append(np.concatenate([squares, np.zeros(J.shape[0] - len(squares))]))
    return np.array(found)


def compared(law, found, atol):
    x = law.ppf(law.atom + np.linspace(0.06, 0.94, 12) * (1 - law.atom - law.top_atom))
    assert_allclose([np.mean(found <= point) for point in x], law.cdf(x), atol=atol)
    means = found.mean(axis=1)
    assert_mean(means, law.mean, rejects=1.1 * law.mean)
    second = (found**2).mean(axis=1) / law.mean**2
    assert_mean(second, 1 + law.variance, rejects=1.2 * (1 + law.variance), bias=0.02 * law.variance)


def test_measured_layers_in_random_bases():
    """60 inputs, 90, 50, 70: log-normal, uniform and two-valued singular values."""
    rng = np.random.default_rng(0)
    factors = [
        (np.exp(rng.standard_normal(60)), 90, 60),
        (rng.uniform(0.2, 3, 50), 50, 90),
        (np.where(rng.random(50) < 0.3, 0.1, 2.0), 70, 50),
    ]
    law = FreeProduct(Factor(*factor) for factor in factors)
    found = simulated(rng, factors, 60)
    assert law.atom == 20 / 70
    compared(law, np.where(found < 1e-12, 0.0, found), atol=0.012)
    assert 0.85 * law.edge < found.max(axis=1).mean() < 1.03 * law.edge


def test_dead_directions_of_gains_and_layers():
    """Square factors of rank 40, 30 and 50 of 60; the gains enter as a diagonal."""
    rng = np.random.default_rng(1)
    ranks, squares = (40, 30, 50), []
    for rank in ranks:
        squares.append(np.concatenate([rng.uniform(0.5, 2, rank), np.zeros(60 - rank)]))
    law = FreeProduct([Factor(one, 60, 60) for one in squares])
    found = simulated(rng, [(one, 60, 60) for one in squares], 60)
    assert law.atom == 0.5
    compared(law, np.where(found < 1e-12, 0.0, found), atol=0.012)


def test_narrow_outputs_of_a_wide_input():
    """3072 inputs, 256, 10: singular values of a Gaussian first layer, gains, a last layer."""
    rng = np.random.default_rng(2)
    first = np.linalg.eigvalsh(np.cov(rng.standard_normal((256, 3072)), bias=True))
    gains, last = rng.uniform(0.1, 1, 256), np.linalg.svd(rng.standard_normal((10, 256)) / 16, compute_uv=False) ** 2
    law = FreeProduct([Factor(first, 256, 3072), Factor(gains, 256, 256), Factor(last, 10, 256)])
    shapes = [(first, 256, 256), (gains, 256, 256), (last, 10, 256)]  # what the input has beyond 256 is not seen
    found = simulated(rng, shapes, 40)
    assert_allclose(law.mean, first.mean() * gains.mean() * last.sum() / 10, rtol=1e-12)
    assert_mean(found.mean(axis=1), law.mean, rejects=1.1 * law.mean)
    x = law.ppf(np.array([0.15, 0.5, 0.85]))
    assert_allclose([np.mean(found <= point) for point in x], law.cdf(x), atol=0.06)
    back = FreeProduct([Factor(last, 256, 10), Factor(gains, 256, 256), Factor(first, 3072, 256)])
    assert_allclose([back.edge, back.atom, back.mean * 3072], [law.edge, 1 - 10 / 3072, law.mean * 10], rtol=1e-10)
    assert_allclose(1 - back.cdf(x), (1 - law.cdf(x)) * 10 / 3072, rtol=1e-6)


def test_two_projections():
    """Ranks a and b of n: atoms max(0, 1 - a), max(0, a + b - 1), edges a + b - 2 a b +- 2 sqrt(a b (1 - a)(1 - b))."""
    a, b, n = 0.7, 0.6, 40
    law = FreeProduct([Factor(np.arange(n) < rank * n, n, n) for rank in (a, b)])
    middle, half = a + b - 2 * a * b, 2 * np.sqrt(a * b * (1 - a) * (1 - b))
    assert_allclose([law.edge, law.top_atom, law.atom], [1, 0.3, 0.4], rtol=1e-12)
    x = np.linspace(middle - half, middle + half, 9)[1:-1]
    density = np.sqrt((middle + half - x) * (x - middle + half)) / (2 * np.pi * x * (1 - x))
    assert_allclose(law.pdf(x), density, rtol=1e-8)
    assert_allclose(
        law.cdf([middle - 1.01 * half, 0.999 * (middle + half), middle + 1.01 * half, 1.0]), [0.4, 0.7, 0.7, 1], atol=2e-4
    )
    assert_allclose(law.pdf([middle - 1.1 * half, middle + 1.02 * half]), 0, atol=1e-9)
    assert_allclose(law.ppf([0.3, 0.71, 1.0]), [0, 1, 1], atol=1e-12)


def test_squares_of_a_gaussian_stand_for_it():
    """400 quantiles of its law, 80 x 200 in units of dimension."""
    law = MarchenkoPastur(0.4, 1.7**2)
    squares = law.ppf((np.arange(400) + 0.5) / 400)
    x = np.array([0.3, 1.0, 3.0, 6.0])
    measured = FreeProduct([Factor(squares, 400, 1000), gaussian(0.8, 700, 400)])
    exact = FreeProduct([gaussian(1.7, 400, 1000), gaussian(0.8, 700, 400)])
    assert_allclose(measured.cdf(x), exact.cdf(x), atol=1e-4)
    assert_allclose([measured.edge, measured.variance], [exact.edge, exact.variance], rtol=3e-3)
    one = FreeProduct([gaussian(1.7, 400, 1000)])
    assert_allclose(one.cdf(x), law.cdf(x), atol=1e-12)
    assert_allclose([one.edge, one.mean], [law.edges[1], 1.7**2], rtol=1e-12)


def test_equal_squares_are_an_orthogonal_layer():
    x = np.array([0.2, 1.0, 2.0])
    pairs = {(30, 50): 1.44, (50, 30): 1.44 * 50 / 30}
    for (rows, columns), square in pairs.items():
        measured = FreeProduct([gaussian(1.0, columns, 40), Factor(np.full(30, square), rows, columns)])
        exact = FreeProduct([gaussian(1.0, columns, 40), orthogonal(1.2, rows, columns)])
        assert_allclose(measured.pdf(x), exact.pdf(x), rtol=1e-10)
        assert_allclose([measured.edge, measured.atom], [exact.edge, exact.atom], rtol=1e-12, atol=1e-15)


def test_a_tall_layer_after_a_gaussian_one_by_simulation():
    rng, found = np.random.default_rng(4), []
    for _ in range(40):
        J = 1.2 * np.sqrt(90 / 40) * frame(rng, 90, 40) @ (rng.standard_normal((40, 60)) / np.sqrt(60))
        squares = np.linalg.svd(J, compute_uv=False) ** 2
        found.append(np.concatenate([squares, np.zeros(30)]))
    compared(FreeProduct([gaussian(1.0, 40, 60), orthogonal(1.2, 90, 40)]), np.array(found), atol=0.015)


def test_order_of_square_factors_does_not_count():
    rng, x = np.random.default_rng(5), np.array([0.1, 0.7, 2.0])
    factors = [Factor(rng.uniform(0, 2, 30), 30, 30), Factor(np.exp(rng.standard_normal(30)), 30, 30), gaussian(1.1, 30, 30)]
    laws = [FreeProduct(order) for order in permutations(factors)]
    for law in laws[1:]:
        assert_allclose([law.edge, law.mean, law.variance], [laws[0].edge, laws[0].mean, laws[0].variance], rtol=1e-12)
        assert_allclose(law.pdf(x), laws[0].pdf(x), rtol=1e-8)


def test_measured_gains_are_a_jacobian_law():
    """Gains at 4000 quantiles of h in place of their law."""
    from scipy.special import ndtri

    z, n = ndtri((np.arange(4000) + 0.5) / 4000), 4000
    squares = [np.cosh(np.sqrt(q) * z) ** -4.0 for q in (0.4, 1.5)]
    parts = [gaussian(1.3, n, n), Factor(squares[0], n, n), gaussian(0.9, n, n), Factor(squares[1], n, n)]
    measured, law = FreeProduct(parts), JacobianLaw([0.4, 1.5], [1.3, 0.9])
    x = np.array([1e-3, 0.1, 1.0, 2.0])
    assert_allclose([measured.edge, measured.mean, measured.variance], [law.edge, law.mean, law.variance], rtol=2e-4)
    assert_allclose(measured.pdf(x), law.pdf(x), rtol=1e-3)
    assert_allclose(measured.cdf(x), law.cdf(x), atol=1e-5)


def test_one_factor_is_its_own_spectrum():
    law = FreeProduct([Factor([1.0, 0.0, 4.0], 5, 3)])
    assert_allclose(law.cdf([0.0, 0.5, 2.0, 5.0]), [0.6, 0.6, 0.8, 1.0], atol=1e-12)
    assert_allclose(
        [law.mean, law.second_moment, law.edge, law.atom, law.top_atom], [1.0, 17 / 5, 4.0, 0.6, 0.2], rtol=1e-12
    )


def test_singular_values_of_twelve_decades():
    """smin/smax of 1e-6, next to many equal ones."""
    rng = np.random.default_rng(6)
    factors = [(np.logspace(-12, 0, 80), 80, 80), (np.repeat([0.5, 1.0, 2.0], [50, 10, 20]), 80, 80)]
    law = FreeProduct(Factor(*factor) for factor in factors)
    found = simulated(rng, factors, 50)
    x = law.ppf(np.linspace(0.05, 0.95, 10))
    assert x[0] < 1e-9
    assert_allclose([np.mean(found <= point) for point in x], law.cdf(x), atol=0.012)
    p = np.linspace(0, 1, 41)
    assert_allclose(law.cdf(law.ppf(p)), p, atol=1e-8)


def test_rounding_is_no_direction():
    squares = np.array([3.0, 1.0, 1e-33])
    assert FreeProduct([Factor(squares, 3, 3)]).atom == pytest.approx(1 / 3)
    assert FreeProduct([Factor([3.0, 1.0, 1e-20], 3, 3)]).atom == 0


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"a product of no factors has no law"):
        FreeProduct([])
    with pytest.raises(ValueError, match=r"a factor of 3 x 4 cannot follow one of 5 x 3"):
        FreeProduct([gaussian(1.0, 5, 3), gaussian(1.0, 3, 4)])
    with pytest.raises(ValueError, match=r"squares of shape \(2,\) are not the 3 squared singular values of a 3 x 4 matrix"):
        Factor([1.0, 2.0], 3, 4)
    with pytest.raises(ValueError, match=r"squares = -1.0 is not finite and at least 0"):
        Factor([1.0, -1.0], 2, 2)
    with pytest.raises(ValueError, match=r"a 2 x 2 factor has no singular value above 0"):
        Factor([0.0, 0.0], 2, 2)
    with pytest.raises(ValueError, match=r"rows = 0 is not at least 1"):
        Factor([1.0], 0, 1)
    with pytest.raises(ValueError, match=r"p = 1.5 is no probability"):
        FreeProduct([gaussian(1.0, 2, 2)]).ppf(1.5)
