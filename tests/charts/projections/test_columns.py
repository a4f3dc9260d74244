"""Sparse matrices drawn column by column, seen through sparse and fastjl: how many entries a column has, and which."""

import math

import pytest
import torch

from rmtlottery.charts.hadamard import hadamard
from rmtlottery.charts.projections import projection
from tests.charts.projections.matrices import SEEDS, WIDE, drawn, matrix
from tests.conftest import assert_mean

EXPECTED = math.log(60_000) ** 2


def preconditioned(kind, ambient, dim, seed):
    """The sparse matrix itself, (D, d): that of fastjl without its Hadamard matrix and signs. D is a power of two."""
    p = projection(kind, ambient, dim, seed)
    if kind == "sparse":
        return matrix(p).double()
    values = hadamard(matrix(p).double().T * p.held["signs"]).T / ambient**0.5
    return torch.where(values.abs() > 1e-6, values, 0.0)


SHARES = {"sparse": 1 / 32, "fastjl": EXPECTED / 1024}


@pytest.fixture(scope="module", params=SHARES)
def many(request):
    """(kind, its matrices of 1024 rows and 4 columns)."""
    return request.param, torch.stack([preconditioned(request.param, 1024, 4, seed) for seed in SEEDS])


def test_the_number_of_entries_is_binomial(many):
    """Its mean D q, its variance D q (1 - q): no column has a set number."""
    kind, matrices = many
    share, counts = SHARES[kind], (matrices != 0).sum(1).double()
    mean, variance = 1024 * share, 1024 * share * (1 - share)
    assert_mean(counts.mean(1).numpy(), mean, rejects=1.04 * mean)
    assert_mean((counts - mean).square().mean(1).numpy(), variance, rejects=variance * 1.6)


def test_all_rows_are_as_likely(many):
    there = (many[1] != 0).double().sum(2)
    for rows in (slice(0, 256), slice(256, 512), slice(768, 1024), slice(0, 1024, 4)):
        assert_mean((there[:, rows].sum(1) / there.sum(1)).numpy(), 1 / 4, rejects=0.28)


def test_columns_share_no_more_rows_than_chance_has_them_share(many):
    kind, matrices = many
    there = (matrices != 0).double()
    shared = (there[:, :, 0] * there[:, :, 1] + there[:, :, 2] * there[:, :, 3]).sum(1).numpy() / 2
    assert_mean(shared, 1024 * SHARES[kind] ** 2, rejects=1024 * SHARES[kind] ** 2 * 1.5)


def test_columns_have_unit_length(many):
    torch.testing.assert_close(many[1].norm(dim=1), torch.ones(len(SEEDS), 4).double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("kind", SHARES)
def test_a_column_is_the_same_whatever_follows(kind):
    few, many = (preconditioned(kind, 1024, dim, 5)[:, :7] for dim in (7, 300))
    torch.testing.assert_close(few, many, rtol=1e-5, atol=1e-7)


def test_entries_of_fastjl_do_not_thin_out_with_the_dimension():
    """121 a column at d = 10 and at d = 900."""
    for dim in (10, 900):
        counts = (preconditioned("fastjl", 1024, dim, 5) != 0).sum(0).double().numpy()
        assert_mean(counts, EXPECTED, rejects=EXPECTED * (1.02 if dim == 900 else 1.2))


def test_entries_of_fastjl_do_not_grow_with_the_weights():
    held = projection("fastjl", WIDE, 200, 5).held
    assert_mean(torch.bincount(held["columns"], minlength=200).double().numpy(), EXPECTED, rejects=EXPECTED * 1.04)


@pytest.mark.parametrize("ambient", [1, 2, 64])
def test_fastjl_has_every_entry_where_the_weights_are_fewer_than_it_wants(ambient):
    assert (preconditioned("fastjl", ambient, min(ambient, 5), 5) != 0).all()


def test_no_column_of_two_rows_is_empty():
    assert ((drawn("sparse", 2, 2) != 0).sum(1) >= 1).all()
