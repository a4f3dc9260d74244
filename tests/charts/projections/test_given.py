"""Directions that are handed over keep to the contract of a projection."""

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.projections.given import Given


def columns(dim=3, ambient=17, seed=0):
    return torch.linalg.qr(torch.randn(ambient, dim, generator=torch.Generator().manual_seed(seed)))[0].T


def test_it_maps_along_its_rows_and_back():
    held, theta, g = columns(), torch.randn(2, 3), torch.randn(2, 17)
    torch.testing.assert_close(Given(held).apply(theta), theta @ held)
    torch.testing.assert_close(Given(held).adjoint(g), g @ held.T)
    torch.testing.assert_close((Given(held).apply(theta) * g).sum(1), (theta * Given(held).adjoint(g)).sum(1))


def test_another_has_another_mark():
    assert Given(columns()).fingerprint == Given(columns()).fingerprint
    assert Given(columns()).fingerprint != Given(columns(seed=1)).fingerprint
    assert Given(columns()).fingerprint != Given(columns()[:2]).fingerprint


def test_the_first_of_them_are_the_first():
    few = Given(columns()).first(2)
    assert (few.dim, few.ambient) == (2, 17)
    torch.testing.assert_close(few.apply(torch.eye(2)), columns()[:2])


@pytest.mark.parametrize("dim", [0, 4])
def test_more_than_there_are_and_none_are_refused(dim):
    with pytest.raises(rl.Refusal, match=f"dim = {dim} is not between 1 and the 3 directions that the trajectory has"):
        Given(columns()).first(dim)
