"""Principal directions of made-up trajectories, against an SVD."""

from itertools import pairwise

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.principal import dimensions, principal_directions


def trajectory(points=7, ambient=40, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    lengths = torch.logspace(1, -2, points - 1)[:, None]
    return 5 + torch.cat([torch.zeros(1, ambient), lengths * torch.randn(points - 1, ambient, generator=numbers)])


def test_they_are_the_right_singular_vectors_of_the_steps_from_the_first_point():
    held = trajectory()
    found = principal_directions(held)
    vectors = torch.linalg.svd((held - held[0])[1:].double(), full_matrices=False)[2].float()
    torch.testing.assert_close((found @ vectors.T).abs(), torch.eye(6), rtol=0, atol=1e-4)


def test_they_are_not_those_about_the_mean():
    held = trajectory() + torch.linspace(0, 30, 7)[:, None] * torch.ones(40)
    found, centred = principal_directions(held), torch.linalg.svd((held - held.mean(0)).double())[2].float()
    assert (found[0] @ centred[0]).abs() < 0.999


def test_the_first_are_nearest_to_all_points_and_all_hold_them():
    held = trajectory()
    found, moved = principal_directions(held), held - held[0]
    left = [(moved - moved @ found[:d].T @ found[:d]).norm() for d in range(len(found) + 1)]
    assert all(after < before for before, after in pairwise(left))
    assert left[-1] < 1e-4 * left[0]


def test_rows_are_orthonormal_though_the_steps_differ_by_orders():
    held = trajectory(points=12)
    found = principal_directions(held)
    torch.testing.assert_close(found @ found.T, torch.eye(len(found)), rtol=0, atol=1e-5)


def test_what_lies_in_fewer_dimensions_has_fewer():
    line = torch.outer(torch.arange(6.0), torch.randn(30, generator=torch.Generator().manual_seed(1)))
    assert principal_directions(line).shape == (1, 30)
    assert dimensions(line) == 1
    assert dimensions(trajectory()) == 6


@pytest.mark.parametrize(("points", "words"), [(1, "of 1 points has no directions"), (3, "never left its first point")])
def test_what_does_not_move_has_none(points, words):
    with pytest.raises(rl.Refusal, match=words):
        principal_directions(torch.ones(points, 5))
