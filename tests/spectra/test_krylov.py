"""Many linear equations at once against a direct solution, each with an operator of its own."""

import numpy as np

from rmtlottery.spectra.krylov import RESIDUAL, shifted_solve


def equations(seed=0, number=5, size=30):
    rng = np.random.default_rng(seed)
    real, imaginary = rng.standard_normal((2, number, size, size))
    return 0.6 * (real + 1j * imaginary) / np.sqrt(2 * size), rng.standard_normal((number, size)) + 0j


def test_residual_of_each_is_small_and_repeating_makes_it_smaller():
    K, right = equations()
    found = np.zeros_like(right)
    for _ in range(3):
        left = right - found + np.einsum("pij,pj->pi", K, found)
        found = found + shifted_solve(lambda v: np.einsum("pij,pj->pi", K, v), left)
        rest = right - found + np.einsum("pij,pj->pi", K, found)
        assert np.all(np.linalg.norm(rest, axis=1) <= 1.01 * RESIDUAL * np.linalg.norm(left, axis=1))
    direct = np.linalg.solve(np.eye(30) - K, right[..., None])[..., 0]
    np.testing.assert_allclose(found, direct, rtol=0, atol=1e-7)


def test_nothing_to_solve_is_nothing():
    assert not shifted_solve(lambda v: v / 2, np.zeros((2, 3), complex)).any()
