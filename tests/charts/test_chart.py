"""Charts: exact zeros, exactly masked gradients, and nothing changed elsewhere."""

import pytest
import torch

from rmtlottery.charts.chart import Chart, full, masked, survivors

LOSSES = {
    "linear": lambda w: (3 * w).sum(),
    "cubic": lambda w: (w + 2).pow(3).sum(),
    "exponential": lambda w: w.exp().sum(),
    "coupled": lambda w: w.sum() ** 2 + torch.tanh(w).prod(),
}


@pytest.fixture
def theta():
    return torch.randn(3, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def mask():
    """One mask a replicate, no two alike."""
    return torch.tensor([[1, 0, 1, 1, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1, 1, 0]], dtype=torch.bool)


def gradient(chart, loss):
    """By the coordinates: that by the weights, pulled back."""
    weights = chart.weights(chart.start).clone().requires_grad_()
    return chart.pull(torch.autograd.grad(loss(weights), weights)[0], chart.start)


def test_full_takes_every_weight_for_a_coordinate(theta):
    chart = full(theta)
    assert torch.equal(chart.start, theta)
    assert torch.equal(chart.weights(theta + 1), theta + 1)


def test_masked_weights_are_exact_zeros_in_each_replicate(theta, mask):
    weights = masked(full(theta), mask).weights(theta)
    assert [(row == 0).nonzero().flatten().tolist() for row in weights] == [[1, 4], [0, 1, 6], [7]]


def test_kept_weights_are_untouched_to_the_bit(theta, mask):
    assert torch.equal(masked(full(theta), mask).weights(theta)[mask], theta[mask])


def test_masking_leaves_what_it_masks_as_it_was(theta, mask):
    before = theta.clone()
    chart = masked(full(theta), mask)
    chart.pull(chart.weights(chart.start), chart.start)
    assert torch.equal(theta, before)


def test_a_masked_start_is_zero_where_coordinates_are_weights(theta, mask):
    chart = masked(full(theta), mask)
    assert chart.plain
    assert torch.equal(chart.start, torch.where(mask, theta, 0.0))


def doubled(theta):
    """A chart whose coordinates are half the weights: not plain."""
    return Chart(theta / 2, lambda coordinates: 2 * coordinates, lambda gradient, at: 2 * gradient)


def test_masking_a_chart_that_is_not_plain_masks_its_weights_and_pulls_through_it(theta, mask):
    chart = masked(doubled(theta), mask)
    assert not chart.plain
    assert torch.equal(chart.start, theta / 2)
    assert torch.equal(chart.weights(chart.start), torch.where(mask, theta, 0.0))
    assert torch.equal(chart.pull(theta.clone(), theta), torch.where(mask, 2 * theta, 0.0))


EQUAL = torch.tensor([[1, 0, 1, 1, 0, 1, 1, 0], [0, 0, 1, 1, 1, 1, 0, 1], [1, 1, 1, 0, 0, 1, 1, 0]], dtype=torch.bool)
CHARTS = {
    "full": full,
    "masked": lambda theta: masked(full(theta), EQUAL),
    "masked-not-plain": lambda theta: masked(doubled(theta), EQUAL),
    "survivors": lambda theta: survivors(theta, EQUAL),
}


@pytest.mark.parametrize("name", CHARTS)
def test_pull_is_the_transpose_of_the_map_to_the_weights(name, theta):
    """<weights(a) - weights(0), g> = <a, pull(g)>."""
    chart, stream = CHARTS[name](theta), torch.Generator().manual_seed(1)
    a = torch.randn(chart.start.shape, generator=stream, dtype=torch.float64)
    g = torch.randn(theta.shape, generator=stream, dtype=torch.float64)
    there = ((chart.weights(a) - chart.weights(torch.zeros_like(a))) * g).sum()
    torch.testing.assert_close((a * chart.pull(g.clone(), a)).sum(), there, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), float("nan")])
def test_an_infinite_gradient_of_a_pruned_weight_is_zero(value, theta, mask):
    gradient = torch.where(mask, theta, value)
    assert torch.equal(masked(full(theta), mask).pull(gradient, theta), torch.where(mask, theta, 0.0))


def test_survivors_reach_what_the_mask_leaves_with_fewer_coordinates(theta):
    few, all_of_them = survivors(theta, EQUAL), masked(full(theta), EQUAL)
    assert few.start.shape == (3, 5)
    assert torch.equal(few.weights(few.start), all_of_them.weights(all_of_them.start))
    assert few.start[1].tolist() == theta[1, [2, 3, 4, 5, 7]].tolist()


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_has_a_gradient_where_weights_are_masked(theta, mask, loss):
    assert (gradient(masked(full(theta), mask), LOSSES[loss])[~mask] == 0).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_elsewhere_the_gradient_is_that_of_the_masked_weights(theta, mask, loss):
    weights = torch.where(mask, theta, 0.0).requires_grad_()
    (plain,) = torch.autograd.grad(LOSSES[loss](weights), weights)
    assert torch.equal(gradient(masked(full(theta), mask), LOSSES[loss])[mask], plain[mask])


def test_one_mask_serves_all_replicates(theta, mask):
    weights = masked(full(theta), mask[0]).weights(theta)
    assert (weights == 0).nonzero()[:, 1].tolist() == [1, 4] * 3


def test_masks_compose_to_their_intersection(theta, mask):
    twice = masked(masked(full(theta), mask[0]), mask[1])
    assert (twice.weights(theta)[0] != 0).nonzero().flatten().tolist() == [2, 3, 5, 7]


def test_a_coordinate_that_moves_under_the_mask_moves_no_weight(theta, mask):
    chart = masked(full(theta), mask)
    assert torch.equal(chart.weights(theta + ~mask), chart.weights(theta))
