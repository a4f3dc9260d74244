"""What a Spec's chart draws: a P a seed, in the sizes that it asks for."""

import pytest
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.charts.projections import projection
from rmtlottery.train.directions import Directions, check, several

NET = nets.build(rl.Spec().but(widths="5,3").net, (7,), 4)


def directions(**chart):
    return Directions(rl.Spec().but(chart={"kind": "affine", "dim": 6} | chart).chart, NET)


def matrix(p):
    return p.apply(torch.eye(p.dim)).T


def test_a_full_chart_has_no_directions():
    whole = Directions(rl.Spec().chart, NET)
    assert not whole.few
    assert whole.facts(3) == {"kind": "full", "seed": None, "fingerprint": None}
    theta = torch.randn(2, 74)
    assert whole.chart(theta, [0, 1]).start is theta


def test_each_seed_has_its_own_and_the_run_seed_is_its_seed():
    found = directions()
    assert torch.equal(matrix(found.of(4)), matrix(projection("fastfood", 74, 6, 4)))
    assert not torch.allclose(matrix(found.of(4)), matrix(found.of(5)))
    assert found.of(4) is found.of(4), "drawn once"


def test_another_draw_of_a_seed_is_that_of_no_other_seed():
    drawn = [matrix(directions(draw=which).of(seed)) for which in (0, 1) for seed in (0, 1, 2)]
    for place, one in enumerate(drawn):
        assert not any(torch.allclose(one, other) for other in drawn[:place])


def test_saids_factors_are_counted():
    found = directions(kind="said", dim=9)
    assert found.of(0).dim == 9 - 3
    assert found.chart(torch.zeros(1, 74), [0]).start.tolist() == [[1] * 3 + [0] * 6]


@pytest.mark.parametrize(("subnets", "sizes"), [(2, [4, 3]), (3, [3, 2, 2]), (7, [1] * 7)])
def test_subnets_share_the_coordinates_evenly(subnets, sizes):
    assert [part.dim for part in directions(kind="sum", dim=7, subnets=subnets).of(0).parts] == sizes


def test_subnets_of_an_orthonormal_family_are_orthogonal_and_others_are_not():
    whole = matrix(directions(kind="sum", dim=12, projection="orthonormal").of(1))
    assert (whole[:, :6].T @ whole[:, 6:]).abs().max() < 1e-6
    first, second = directions(kind="sum", dim=12, projection="dense").of(1).parts
    assert (matrix(first).T @ matrix(second)).abs().max() > 0.1


def test_a_sum_moves_the_weights_by_each_of_its_parts():
    whole = directions(kind="sum", dim=6, subnets=2).of(0)
    x = torch.randn(6)
    torch.testing.assert_close(whole.apply(x), whole.parts[0].apply(x[:3]) + whole.parts[1].apply(x[3:]))


def test_other_libraries_that_draw_another_p_are_noticed():
    facts = directions().facts(0)
    directions().check(0, facts, "it")
    with pytest.raises(rl.Refusal, match="it was trained along directions 0000, and with these libraries its seed gives"):
        directions().check(0, facts | {"fingerprint": "0000"}, "it")


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        ({"dim": 75}, "dim = 75 is more than the net's 74 weights and biases"),
        ({"kind": "said", "dim": 3}, "leaves nothing beside the 3 factors"),
        ({"kind": "sum", "dim": 3, "subnets": 4}, "too few for 4 subnets"),
    ],
)
def test_sizes_that_cannot_be_are_refused(chart, words):
    with pytest.raises(rl.Refusal, match=words):
        check(directions(**chart).part, NET)


def test_as_many_coordinates_as_weights_are_taken():
    assert directions(dim=74).of(0).dim == 74
    assert directions(kind="said", dim=77).of(0).dim == 74


@pytest.mark.parametrize("kind", ["fastfood", "countsketch", "dense", "fastjl_gargiulo"])
@pytest.mark.parametrize("chart", ["affine", "said"])
def test_several_sizes_are_those_that_each_would_be_alone(kind, chart):
    """Weights, and what is pulled back, replicate by replicate."""
    theta, wanted = torch.randn(4, 74), [(size, seed) for seed in (0, 3) for size in (5, 11)]
    each = {size: directions(kind=chart, projection=kind, dim=size) for size in (5, 11)}
    together = several(theta, [(each[size], seed) for size, seed in wanted])
    assert together.start.shape == (4, 11)
    g = torch.randn(4, 74)
    for row, (size, seed) in enumerate(wanted):
        alone = each[size].chart(theta[row : row + 1], [seed])
        at = alone.start + torch.randn(1, size)
        among = together.start.clone()
        among[row, :size] = at
        torch.testing.assert_close(together.weights(among)[row], alone.weights(at)[0], rtol=1e-4, atol=1e-5)
        pulled = together.pull(g.clone(), among)[row]
        torch.testing.assert_close(pulled[:size], alone.pull(g[row : row + 1].clone(), at)[0], rtol=1e-4, atol=1e-5)
        assert not pulled[size:].any()
