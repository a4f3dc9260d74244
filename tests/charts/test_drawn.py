"""Which P a chart draws: its law, its size, and its seed."""

from itertools import combinations

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.drawn import factors, key, projection_of
from rmtlottery.charts.projections import projection
from rmtlottery.charts.projections.beside import Beside

SHAPES = {"fc1.weight": (5, 7), "fc1.bias": (5,), "fc2.weight": (4, 5), "fc2.bias": (4,)}
WEIGHTS = 64


def part(**chart):
    return rl.Spec().but(chart={"kind": "affine", "dim": 6, "projection": "dense"} | chart).chart


def matrix(p):
    return p.apply(torch.eye(p.dim)).T


@pytest.mark.parametrize("kind", ["dense", "axes", "countsketch"])
def test_it_moves_all_weights_by_the_law_that_is_named(kind):
    made = projection_of(part(projection=kind), SHAPES, 3)
    assert (made.ambient, made.dim) == (WEIGHTS, 6)
    assert torch.equal(matrix(made), matrix(projection(kind, WEIGHTS, 6, 3)))


def test_no_draw_of_a_seed_is_one_of_another_seed():
    keys = [key(seed, draw) for seed in (0, 1, 2**63, 2**64 - 1) for draw in range(3)]
    assert len(set(keys)) == len(keys)
    assert [key(seed, 0) for seed in (0, 7)] == [0, 7]


def test_every_draw_has_directions_of_its_own():
    drawn = [matrix(projection_of(part(draw=draw), SHAPES, 1)) for draw in range(4)]
    for one, other in combinations(drawn, 2):
        assert (one.T @ other).abs().max() < 0.6


def test_a_factor_a_layer_is_counted_and_is_no_column():
    assert factors(part(kind="said"), SHAPES) == 2
    assert projection_of(part(kind="said"), SHAPES, 0).dim == 4
    assert factors(part(), SHAPES) == factors(part(kind="sum"), SHAPES) == 0


def test_subnets_have_a_draw_each_beside_each_other():
    made = projection_of(part(kind="sum", dim=8, subnets=3, draw=2), SHAPES, 1)
    assert isinstance(made, Beside)
    alone = [matrix(projection_of(part(dim=size, draw=draw), SHAPES, 1)) for size, draw in ((3, 2), (3, 3), (2, 4))]
    assert torch.equal(matrix(made), torch.cat(alone, 1))


def test_of_one_orthonormal_family_subnets_are_the_family():
    made = projection_of(part(kind="sum", dim=8, subnets=3, projection="orthonormal"), SHAPES, 1)
    assert torch.equal(matrix(made), matrix(projection("orthonormal", WEIGHTS, 8, 1)))
