"""Norms and ranks: numpy on matrices that are not square, flat and single spectra, layers of zeros, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from rmtlottery.spectra.shape import shape_of


def layer(rows=30, columns=70, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns)) * np.linspace(0.1, 2, rows)[:, None]


def eigenvalues(W):
    return np.linalg.svd(W, compute_uv=False) ** 2


@pytest.mark.parametrize("shape", [(30, 70), (70, 30), (1, 9)])
def test_norms_are_numpys(shape):
    W = layer(*shape)
    found = shape_of(np.random.default_rng(1).permutation(eigenvalues(W)))
    assert_allclose(found.frobenius, np.linalg.norm(W), rtol=1e-12)
    assert_allclose(found.spectral, np.linalg.norm(W, 2), rtol=1e-12)
    assert_allclose(found.stable_rank, (np.linalg.norm(W) / np.linalg.norm(W, 2)) ** 2, rtol=1e-12)


def test_participation_and_entropies():
    """tr(A)^2/tr(A^2) of A = W W^T; scipy's entropy, of the eigenvalues and of the singular values."""
    W = layer()
    A, found = W @ W.T, shape_of(eigenvalues(W))
    assert_allclose(found.participation, np.trace(A) ** 2 / np.trace(A @ A), rtol=1e-12)
    assert_allclose(found.entropy, stats.entropy(eigenvalues(W)) / np.log(30), rtol=1e-12)
    assert_allclose(found.effective_rank, np.exp(stats.entropy(np.linalg.svd(W, compute_uv=False))), rtol=1e-12)


@pytest.mark.parametrize(("rank", "rows", "columns"), [(5, 20, 33), (20, 20, 33), (1, 12, 400)])
def test_hard_rank_is_numpys(rank, rows, columns):
    W = layer(rows, rank, 1) @ layer(rank, columns, 2)
    assert shape_of(eigenvalues(W), long_side=columns).hard_rank == np.linalg.matrix_rank(W) == rank


def test_hard_rank_by_the_long_side():
    """A singular value of 200 eps is above a tolerance of 100 eps, and below one of 300."""
    spectrum = np.concatenate([np.ones(99), [(200 * np.finfo(float).eps) ** 2]])
    assert shape_of(spectrum).hard_rank == 100
    assert (
        shape_of(spectrum, long_side=300).hard_rank
        == np.linalg.matrix_rank(np.eye(100, 300) * spectrum[:, None] ** 0.5)
        == 99
    )


@pytest.mark.parametrize("zeros", [0, 40])
def test_flat_spectrum_has_all_ranks_equal(zeros):
    found = shape_of(np.concatenate([np.full(10, 3.0), np.zeros(zeros)]))
    assert_allclose([found.stable_rank, found.participation, found.effective_rank, found.hard_rank], 10, rtol=1e-12)
    assert_allclose(found.entropy, np.log(10) / np.log(10 + zeros), rtol=1e-12)


def test_ranks_do_not_see_the_scale():
    for scale in (1e-200, 1e200):
        assert_allclose(shape_of(eigenvalues(layer()) * scale)[2:], shape_of(eigenvalues(layer()))[2:], rtol=1e-9)


def test_layer_of_zeros():
    found = shape_of(np.zeros(7))
    assert (found.frobenius, found.spectral, found.hard_rank) == (0, 0, 0)
    assert np.isnan(found[2:6]).all()


def test_one_eigenvalue_has_no_entropy():
    assert np.isnan(shape_of([4.0]).entropy)
    assert shape_of([4.0])._replace(entropy=0) == (2, 2, 1, 1, 0, 1, 1)


@pytest.mark.parametrize("values", [[1.0, -1e-17], [np.nan, 1.0], [np.inf], []])
def test_refuses_what_are_no_squares(values):
    with pytest.raises(ValueError, match=f"of {len(values)} eigenvalues .* is not finite and at least 0: square"):
        shape_of(values)
