"""Count-sketch: one entry a row, and so exactly orthonormal columns; not nested."""

import pytest
import torch

from rmtlottery.charts.projections import projection
from tests.charts.projections.matrices import WEIGHTS, Given, assert_no_weight_is_frozen, drawn, matrix
from tests.conftest import assert_mean

SIZES = [(300, 20), (300, 299), (300, 300), (300, 150), (301, 7), (5, 4), (1, 1)]
every_size = pytest.mark.parametrize(("ambient", "dim"), SIZES)


@every_size
def test_every_row_has_exactly_one_entry(ambient, dim):
    assert ((matrix(projection("countsketch", ambient, dim, 3)) != 0).sum(1) == 1).all()


@pytest.mark.parametrize("seed", range(5))
@every_size
def test_no_column_is_empty(ambient, dim, seed):
    assert ((matrix(projection("countsketch", ambient, dim, seed)) != 0).sum(0) >= 1).all()


def test_owners_drawn_one_by_one_would_leave_columns_empty():
    """The near miss: a share 1/e of the columns at d = D."""
    owner = torch.randint(300, (300,), generator=torch.Generator().manual_seed(3))
    theirs = torch.zeros(300, 300).scatter_(1, owner[:, None], 1)
    assert ((theirs != 0).sum(0) == 0).double().mean() > 0.3


@every_size
def test_columns_are_orthonormal_exactly(ambient, dim):
    """Off the diagonal to the bit: no two columns have a row in common."""
    rows = matrix(projection("countsketch", ambient, dim, 3)).double()
    gram = rows.T @ rows
    assert torch.equal(gram - gram.diagonal().diag(), torch.zeros(dim, dim).double())
    torch.testing.assert_close(gram.diagonal(), torch.ones(dim).double(), rtol=5e-7, atol=0)


def test_entries_are_equal_in_a_column_but_for_fair_signs():
    columns = drawn("countsketch", 300, 20)
    count = (columns != 0).sum(1, keepdim=True)
    torch.testing.assert_close((columns * count.sqrt()).abs(), (columns != 0).double(), rtol=1e-6, atol=0)
    assert_mean(columns.sign().sum((1, 2)).numpy() / 300, 0, rejects=0.03)
    assert_mean((columns[:, 0].sum(1).sign() * columns[:, 1].sum(1).sign()).numpy(), 0, rejects=0.5)


@pytest.mark.parametrize("row", [0, 11, 21])
def test_every_row_may_belong_to_every_column(row):
    """22 rows for 4 columns: two are left over where rows are dealt out evenly."""
    owners = (drawn("countsketch", 22, 4, range(300))[:, row] != 0).double()
    for column in range(4):
        assert_mean(owners[:, column].numpy(), 1 / 4, rejects=0.55, bias=1 / 22)


def test_neighbours_share_a_column_as_often_as_strangers():
    """Not never, as where rows are dealt out in turn: nor always, as in blocks."""
    owner = drawn("countsketch", 22, 4, range(300)).abs().argmax(2)
    near = (owner[:, 1:] == owner[:, :-1]).double().mean(1)
    far = (owner[:, 11:] == owner[:, :11]).double().mean(1)
    for share in (near, far):
        assert_mean(share.numpy(), 0.2165, rejects=0.3, bias=0.03)
        assert_mean(share.numpy(), 0.2165, rejects=0.1, bias=0.03)


def test_a_wider_one_is_another_matrix_and_says_so():
    """The first columns of a wider one leave rows empty."""
    assert not projection("countsketch", 300, 20, 3).nested
    first = matrix(projection("countsketch", 300, 40, 3))[:, :20]
    with pytest.raises(AssertionError, match="of the weights are moved by no coordinate"):
        assert_no_weight_is_frozen(Given(first))


def test_every_weight_of_a_real_net_is_moved():
    p = projection("countsketch", WEIGHTS, 750, 3)
    assert (p.apply(torch.ones(750)) != 0).all()
    there = p.apply(torch.arange(1.0, 751.0))
    torch.testing.assert_close(p.adjoint(there), torch.arange(1.0, 751.0), rtol=1e-4, atol=1e-4)
