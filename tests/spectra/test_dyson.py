"""The vector Dyson equation: its residual, its determinant against an integral, gaps, sparse blocks, simulation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from rmtlottery.spectra import dyson
from rmtlottery.spectra.dyson import DysonLaw
from rmtlottery.spectra.structure import connected_blocks
from tests.conftest import assert_mean


def generic(m=12, n=19, seed=0):
    return np.random.default_rng(seed).gamma(1.0, 1.0, (m, n)) / n


def sparse(m, n, mean, seed=1):
    """The largest connected block of a random mask, of the short side."""
    mask = np.random.default_rng(seed).random((m, n)) < mean / n
    rows, columns = max(connected_blocks(mask), key=lambda block: len(block[0]))
    held = mask[np.ix_(rows, columns)].astype(float)
    return held if len(held) <= held.shape[1] else held.T


def residual(S, m, z):
    return 1 / m + z[:, None] - (1 / (1 + m @ S)) @ S.T


@pytest.mark.parametrize("S", [generic(), generic(60, 90), sparse(50, 50, 2.3)], ids=["small", "krylov", "sparse"])
def test_solution_fulfils_the_equation_on_and_above_the_line(S):
    law = DysonLaw(S)
    z = np.concatenate([np.linspace(*law.edges, 42)[1:-1] + 0j, [0.5 + 0.2j, 1e-7j + law.edges[1] / 2]]) / law.scale
    m = law.resolvent(z)
    assert np.all(m.imag >= 0)
    assert_allclose(np.abs(residual(law.variances, m, z) * m).max(), 0, atol=1e-10)


def test_count_is_the_integral_of_the_density():
    law = DysonLaw(generic())
    low, high = law.edges

    def density(t):
        x = low + (high - low) * np.sin(t / 2) ** 2
        return law.at(np.array([x + 0j])).trace[0].imag / np.pi * (high - low) * np.sin(t) / 2

    for part in (0.9, 2.1):
        expected = quad(density, 0, part, epsabs=1e-10)[0]
        x = low + (high - low) * np.sin(part / 2) ** 2
        assert_allclose(law.at(np.array([x + 0j])).below, expected, atol=1e-8)


@pytest.mark.parametrize("S", [generic(), generic(9, 9), generic(70, 80)])
def test_edges_are_where_the_density_ends(S):
    law = DysonLaw(S)
    low, high = law.edges
    near = np.array([low + 1e-7 * high, high * (1 - 1e-7), low - 1e-7 * high, high * (1 + 1e-7)])
    trace = law.at(near[: 4 if low else 2] + 0j).trace.imag
    assert np.all(trace[:2] > 0)
    assert np.all(trace[2:] == 0)
    assert (low == 0) == (S.shape[0] == S.shape[1])


def test_a_gap_counts_whole_eigenvalues():
    S = generic(20, 33)
    S[:6] *= 300
    law = DysonLaw(S)
    found = law.at(np.array([8.0, 20.0]) + 0j)
    assert_allclose(found.below, 14, atol=1e-10)
    assert np.all(found.trace.imag == 0)


def test_few_nonzeros_have_much_of_their_mass_near_zero():
    """Down to 1e-9 of the edge, and what remains is the structural zeros."""
    law = DysonLaw(sparse(80, 80, 2.6))
    x = np.geomspace(1e-9, 0.5, 12) * law.edges[1]
    count = law.at(x + 0j).below
    assert np.all(np.diff(count) > -1e-9)
    assert law.shape[0] - law.rank - 1e-6 <= count[0] < law.shape[0] - law.rank + 2


def test_resolvent_of_large_matrices():
    S = generic(90, 150)
    S[:30] *= 5
    z, rng = 1.2 + 0.4j, np.random.default_rng(4)
    eigenvalues = np.linalg.svd(rng.standard_normal((160, *S.shape)) * np.sqrt(S), compute_uv=False) ** 2
    samples = (1 / (eigenvalues - z)).mean(axis=1)
    expected = DysonLaw(S).at(np.array([z])).trace[0] / 90
    assert_mean(samples.real, expected.real, rejects=1.05 * expected.real, bias=2e-3 * abs(expected))
    assert_mean(samples.imag, expected.imag, rejects=1.05 * expected.imag, bias=2e-3 * abs(expected))


def test_memory_is_spared_without_a_change(monkeypatch):
    law = DysonLaw(generic())
    x = np.linspace(*law.edges, 32)[1:-1] + 0j
    whole = law.at(x)
    monkeypatch.setattr(dyson, "NUMBERS", 100)
    assert_allclose(law.at(x).trace, whole.trace, rtol=1e-11)


def test_no_solution_is_said(monkeypatch):
    law = DysonLaw(generic())
    monkeypatch.setattr(dyson, "STEPS", 1)
    with pytest.raises(ArithmeticError, match=r"no solution of the Dyson equation found at x = \(0.5"):
        law.at(np.array([0.5 + 0j]))
