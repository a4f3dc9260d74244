"""Single weights, each the first of a random order."""

import pytest
import torch

from rmtlottery.charts.projections import projection
from tests.charts.projections.matrices import drawn, matrix
from tests.conftest import assert_mean


@pytest.mark.parametrize(("ambient", "dim"), [(300, 20), (40, 40), (7, 5), (1, 1)])
def test_every_column_is_one_weight_and_no_weight_has_two(ambient, dim):
    rows = matrix(projection("axes", ambient, dim, 3))
    assert set(rows.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(rows.sum(0), torch.ones(dim))
    assert rows.sum(1).max() == 1


def test_every_weight_is_as_likely():
    share = drawn("axes", 22, 4, range(400)).sum(2).double()
    assert_mean(share[:, 3].numpy(), 4 / 22, rejects=4 / 22 * 2)
    assert_mean(share[:, 21].numpy(), 4 / 22, rejects=4 / 22 * 2)
