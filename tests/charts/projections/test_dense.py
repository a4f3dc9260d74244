"""Dense and orthonormal: uniform directions, and not the randn/sqrt(d) of others."""

import pytest
import torch

from rmtlottery.charts.projections import projection
from tests.charts.projections.matrices import (
    FULL_LENGTHS,
    Given,
    assert_fourth_moment_of_a_sphere,
    assert_gain_is_one,
    assert_lengths_are_kept,
    drawn,
    gains,
    matrix,
    relative_variance,
)
from tests.conftest import assert_mean


@pytest.mark.parametrize("dim", [1, 20, 299, 300])
def test_orthonormal_columns_are_orthonormal(dim):
    rows = matrix(projection("orthonormal", 300, dim, 3)).double()
    torch.testing.assert_close(rows.T @ rows, torch.eye(dim, dtype=torch.float64), rtol=0, atol=3e-6)


def test_dense_columns_are_not_orthonormal():
    """The near miss: their inner products are of size 1/sqrt(D)."""
    rows = matrix(projection("dense", 300, 20, 3)).double()
    assert (rows.T @ rows - torch.eye(20)).abs().max() > 0.1


@pytest.mark.parametrize("kind", ["dense", "orthonormal"])
def test_columns_are_uniform_on_the_sphere(kind):
    """E u_i^4 = 3/(D (D + 2)), and no sign is preferred."""
    columns = drawn(kind, 300, 20)
    assert_fourth_moment_of_a_sphere(columns, 300)
    assert_mean(columns.sign().mean((1, 2)).numpy(), 0, rejects=0.02)


def test_orthonormal_matrices_prefer_no_signs():
    """E tr P = 0 and E (tr P)^2 = 1 (Diaconis and Shahshahani 1994); signs as LAPACK leaves them have E tr P < -1."""
    stream = torch.Generator().manual_seed(3)
    lapack = torch.linalg.qr(torch.randn(200, 6, 6, generator=stream, dtype=torch.float64))[0]
    assert lapack.diagonal(dim1=1, dim2=2).sum(1).mean() < -1
    traces = drawn("orthonormal", 6, 6).diagonal(dim1=1, dim2=2).sum(1).numpy()
    assert_mean(traces, 0, rejects=-1)
    assert_mean(traces**2, 1, rejects=2)


def test_dense_lengths_scatter_by_two_over_the_weights():
    """Not 0, as orthonormal ones."""
    assert_mean(relative_variance(drawn("dense", 300, 20)), 2 / 300 * (1 - 1 / 20), rejects=2 / 300)
    assert relative_variance(drawn("orthonormal", 300, 20)).max() < 1e-10


def over_root_dim(ambient, dim, seed):
    """The defect of others: N(0, 1)/sqrt(d), as though the sum were over coordinates."""
    return torch.randn(ambient, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) / dim**0.5


def test_entries_over_root_d_make_steps_that_are_d_over_d_too_large():
    """|P x|^2 = |x|^2 D/d there: 15 times as much, and otherwise at every d."""
    theirs = torch.stack([over_root_dim(300, 20, seed) for seed in range(200)])
    assert_mean(gains(theirs, FULL_LENGTHS), 300 / 20, rejects=1)
    with pytest.raises(AssertionError, match="standard errors from 1"):
        assert_lengths_are_kept(theirs)
    with pytest.raises(AssertionError, match="standard errors from 1"):
        assert_gain_is_one(Given(over_root_dim(300, 20, 0).float()))


@pytest.mark.parametrize("dim", [1, 20, 200])
@pytest.mark.parametrize("kind", ["dense", "orthonormal"])
def test_the_gain_is_one_at_every_dimension(kind, dim):
    p = projection(kind, 1000, dim, 3)
    if dim > 1 and kind == "dense":
        assert_gain_is_one(p)
    x = torch.eye(dim)[:1] * 3
    torch.testing.assert_close(p.apply(x).norm(), torch.tensor(3.0), rtol=1e-5, atol=0)
