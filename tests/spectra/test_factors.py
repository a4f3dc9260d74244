"""What factors add to log z: against the S-transforms in the books, and traces of averaged matrices, on unequal shapes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.factors import Factor, chain, gaussian, orthogonal


def z(parts, trace):
    """z(tau) > 0 of factors without a law of their own."""
    made = chain(parts)
    return np.exp(made.scale + sum(count * np.log(n + trace) for n, count in made.terms.items()))


def test_marchenko_pastur_and_orthogonal_layers():
    """tau = m M with M = (1/m) tr: S = 1/(sigma^2 (1 + m M/n)) for W W^T of variance sigma^2/n, and z = (1 + M)/(M S)."""
    m, n, sigma, M = 30, 50, 1.3, 0.7
    assert_allclose(z([gaussian(sigma, m, n)], m * M), (1 + M) / M * sigma**2 * (1 + m / n * M), rtol=1e-13)
    assert_allclose(z([orthogonal(sigma, m, n)], m * M), (1 + M) / M * sigma**2, rtol=1e-13)
    assert_allclose(z([orthogonal(sigma, n, m)], m * M), (1 + M) / M * sigma**2 * n / m, rtol=1e-13)
    assert_allclose(z([Factor(np.full(m, 2.5), m, n)], m * M), (1 + M) / M * 2.5, rtol=1e-13)


def test_an_inner_dimension_takes_one_factor_back():
    """z = z_1 z_2 tau/(n + tau): two Gaussian layers 20 x 30 x 50."""
    trace, one, two = 13.0, gaussian(1.1, 30, 50), gaussian(0.7, 20, 30)
    assert_allclose(z([one, two], trace), z([one], trace) * z([two], trace) * trace / (30 + trace), rtol=1e-13)


def test_trace_and_participation():
    """E tr W D W^T and E tr (W D W^T)^2 of a Gaussian W (20 x 30) without its 1/n: v^2 (m^2 tr D^2 + m (tr D)^2)."""
    d, m, v = np.linspace(0, 2, 30), 20, 1.2**2 / 30
    made = chain([Factor(d, 30, 30), gaussian(1.2, m, 30)])
    assert_allclose(np.exp(made.log_trace), v * m * d.sum(), rtol=1e-12)
    assert_allclose(made.participation, (m**2 * np.sum(d**2) + m * d.sum() ** 2) / (m * d.sum()) ** 2, rtol=1e-12)
    assert made.rank == 20


def test_shared_top_values():
    """12 and 9 of 15 largest values share 6 directions; a Gaussian factor leaves none."""
    one, two = (Factor(np.where(np.arange(15) < k, 3.0, 1.0), 15, 15) for k in (12, 9))
    assert chain([one, two]).top_atom == 6
    assert_allclose(chain([one, two]).log_top, np.log(9))
    assert chain([one, gaussian(1.0, 15, 15)]).top_atom < 0


def test_repeated_factors_are_counted():
    part = Factor([1.0, 2.0, 3.0], 3, 3)
    assert chain([part, gaussian(1.0, 3, 3), part]).times == [2]


@pytest.mark.parametrize("make", [gaussian, orthogonal])
def test_no_weights_no_law(make):
    with pytest.raises(ValueError, match=r"sigma = nan is not a finite number above 0"):
        make(np.nan, 3, 3)
