"""One slope, three ways: by autograd, by hand, and of the survivors alone."""

from dataclasses import replace

import pytest
import torch

from rmtlottery.charts.chart import Chart, full, masked
from rmtlottery.charts.flat import unflatten
from rmtlottery.train.level import begin
from rmtlottery.train.slope import ByAutograd, ByHand, OfSurvivors, slope
from tests.train.making import SPEC, level_of, of_survivors, with_equal_counts


def batch(level, seeds, size=37):
    index = torch.randint(len(level.data.train), (seeds, size), generator=torch.Generator().manual_seed(5))
    return level.data.train.x[index], level.data.train.y[index]


def doubled(theta):
    """A chart whose coordinates are half the weights."""
    return Chart(theta / 2, lambda coordinates: 2 * coordinates, lambda gradient, at: 2 * gradient)


def levels(number_of_seeds):
    """Dense, masked, and under charts that are not plain; the last masks keep different numbers."""
    dense, _ = level_of(SPEC, list(range(number_of_seeds)))
    thinned, mask = level_of(SPEC, list(range(number_of_seeds)), number=1)
    theta = dense.chart.start
    return {
        "dense": dense,
        "masked": thinned,
        "doubled": replace(dense, chart=doubled(theta)),
        "masked-doubled": replace(dense, chart=masked(doubled(theta), mask)),
    }


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("name", ["dense", "masked", "doubled", "masked-doubled"])
def test_by_hand_is_by_autograd(name, seeds):
    level = levels(seeds)[name]
    state = begin(level, list(range(seeds)))
    x, y = batch(level, seeds)
    (loss, hits), gradient = ByHand(level, state)(x, y)
    (expected, right), autograd = ByAutograd(level, state)(x, y)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    assert torch.equal(hits, right)
    torch.testing.assert_close(gradient, autograd, rtol=2e-4, atol=2e-7)
    assert gradient.abs().max() > 0.01, "the tolerance is far below what is compared"


@pytest.mark.parametrize("seeds", [1, 3])
def test_of_survivors_is_by_hand_where_weights_are_kept(seeds):
    level, mask = with_equal_counts(level_of(SPEC, list(range(seeds)))[0], 0.1)
    few = of_survivors(level, mask)
    x, y = batch(level, seeds)
    (loss, hits), gradient = OfSurvivors(few, begin(few, list(range(seeds))), mask)(x, y)
    (expected, right), whole = ByHand(level, begin(level, list(range(seeds))))(x, y)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    assert torch.equal(hits, right)
    assert (whole[~mask] == 0).all()
    torch.testing.assert_close(gradient, whole[mask].view(seeds, -1), rtol=2e-4, atol=2e-7)


def test_of_survivors_takes_seeds_whose_layers_keep_different_numbers():
    """As after one ranking of all layers: equally many in all, not in each."""
    level, _ = level_of(SPEC, [0, 1])
    mask = torch.zeros_like(level.chart.start, dtype=torch.bool)
    for row, counts in zip(mask, ({"fc1": 200, "fc2": 20}, {"fc1": 140, "fc2": 80}), strict=True):
        for name, piece in unflatten(row, level.network.shapes).items():
            piece.view(-1)[: counts.get(name.removesuffix(".weight"), piece.numel())] = True
    level = replace(level, chart=masked(full(level.chart.start), mask))
    few, (x, y) = of_survivors(level, mask), batch(level, 2)
    gradient = OfSurvivors(few, begin(few, [0, 1]), mask)(x, y)[1]
    whole = ByHand(level, begin(level, [0, 1]))(x, y)[1]
    torch.testing.assert_close(gradient, whole[mask].view(2, -1), rtol=2e-4, atol=2e-7)


@pytest.mark.parametrize("kind", [ByHand, ByAutograd])
def test_a_slope_follows_coordinates_that_move_in_place(kind):
    for name, level in levels(2).items():
        state = begin(level, [0, 1])
        held, (x, y) = kind(level, state), batch(level, 2)
        held(x, y)
        state.tensors["coordinates"].mul_(0.5)
        moved = held(x, y)[1].clone()
        assert torch.equal(moved, kind(level, state)(x, y)[1]), name


def test_bf16_is_the_gradient_to_the_eight_bits_it_has():
    level, mask = level_of(SPEC, [0, 1], number=1)
    state, (x, y) = begin(level, [0, 1]), batch(level, 2, 200)
    exact = ByHand(level, state)(x, y)[1].clone()
    rough = ByHand(replace(level, compute=torch.bfloat16), state)(x.bfloat16(), y)[1]
    assert rough.dtype == torch.float32
    assert (rough[~mask] == 0).all()
    distance = ((rough - exact).norm() / exact.norm()).item()
    assert 1e-4 < distance < 0.02, "products of three layers, each rounded to 2^-9 at worst"


@pytest.mark.parametrize("logits", ["dense", "survivors"])
def test_logits_are_the_networks(logits):
    level, mask = with_equal_counts(level_of(SPEC, [0, 1])[0], 0.1)
    expected = level.network.logits(level.weights(begin(level, [0, 1])), level.data.test.x.unsqueeze(0))
    level = of_survivors(level, mask) if logits == "survivors" else level
    found = slope(level, begin(level, [0, 1])).logits(level.data.test.x.unsqueeze(0))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_survivors_are_clean_of_what_stood_in_memory_and_of_a_seed_that_diverges():
    level, mask = with_equal_counts(level_of(SPEC, [0, 1])[0], 0.1)
    few, (x, y) = of_survivors(level, mask), batch(level, 2)
    state = begin(few, [0, 1])
    held = OfSurvivors(few, state, mask)
    expected = held(x, y)[1].clone()
    held.gradient.fill_(float("nan"))
    assert torch.equal(held(x, y)[1], expected)
    state.tensors["coordinates"][0] = float("inf")
    gradient = held(x, y)[1]
    assert not gradient[0].isfinite().all()
    assert torch.equal(gradient[1], expected[1])


def test_every_net_has_its_slope():
    dense, _ = level_of(SPEC, [0])
    thin, mask = with_equal_counts(dense, 0.1)
    conv, _ = level_of(SPEC.but(net={"kind": "conv", "channels": "2x3"}), [0])
    for level, kind in ((dense, ByHand), (thin, ByHand), (of_survivors(thin, mask), OfSurvivors), (conv, ByAutograd)):
        assert type(slope(level, begin(level, [0]))) is kind
