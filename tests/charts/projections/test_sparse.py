"""Sparse (Li et al. 2018): a share 1/sqrt(D) of the entries, each column of unit length."""

import numpy as np
import pytest
import torch

from rmtlottery.charts.projections import projection
from tests.charts.projections.matrices import drawn, matrix
from tests.conftest import assert_mean


def test_a_column_has_root_d_entries_in_the_mean():
    assert_mean((drawn("sparse", 400, 30) != 0).sum(1).double().mean(1).numpy(), 20, rejects=20.6)


def test_a_column_of_a_real_net_has_root_d_entries():
    counts = torch.bincount(projection("sparse", 199_210, 100, 3).held["columns"], minlength=100)
    assert_mean(counts.double().numpy(), 199_210**0.5, rejects=199_210**0.5 * 1.04)


def test_entries_of_a_column_are_equal_but_for_fair_signs():
    columns = drawn("sparse", 400, 30)
    count = (columns != 0).sum(1, keepdim=True)
    entries = columns * count.sqrt()
    torch.testing.assert_close(entries.abs(), (columns != 0).double(), rtol=1e-6, atol=0)
    assert_mean((entries.sum((1, 2)) / count.sum((1, 2))).numpy(), 0, rejects=0.02)


@pytest.mark.parametrize("ambient", [1, 2, 4, 7])
def test_no_column_is_empty_however_few_the_weights(ambient):
    """At D = 4 one in sixteen would be."""
    assert ((drawn("sparse", ambient, ambient, range(60)) != 0).sum(1) > 0).all()


def test_signs_of_different_columns_are_independent():
    """The mean inner product is 0, and its square 1/D."""
    columns = drawn("sparse", 400, 30)
    products = torch.stack([(columns[:, :, k] * columns[:, :, k + 1]).sum(1) for k in range(29)], 1)
    assert_mean(products.mean(1).numpy(), 0, rejects=0.01)
    assert_mean(products.square().mean(1).numpy(), 1 / 400, rejects=1.2 / 400)


def test_a_sparse_matrix_moves_few_weights_if_it_has_few_columns():
    """A row is empty with probability (1 - 1/sqrt(D))^d: what one takes on with this kind."""
    empty = (drawn("sparse", 400, 30) == 0).all(2).double().mean(1).numpy()
    assert_mean(empty, 0.95**30, rejects=0.95**31 * 0.97)


def test_only_the_entries_that_are_there_are_held():
    p = projection("sparse", 10_000, 200, 3)
    assert sum(value.numel() for value in p.held.values()) < 5 * (matrix(p) != 0).sum() + 10_000 + 300


def test_half_the_density_would_be_noticed():
    half = [np.random.default_rng(seed).binomial(400, 0.025, 30).mean() for seed in range(200)]
    with pytest.raises(AssertionError, match="standard errors from 20"):
        assert_mean(half, 20, rejects=20.6)
