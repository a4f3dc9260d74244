"""Charts: exact zeros, exactly masked gradients, and nothing changed elsewhere."""

import pytest
import torch

from rmtlottery.charts.chart import full, masked

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
    coordinates = chart.start.clone().requires_grad_()
    return torch.autograd.grad(loss(chart.weights(coordinates)), coordinates)[0]


def test_full_takes_every_weight_for_a_coordinate(theta):
    chart = full(theta)
    assert torch.equal(chart.start, theta)
    assert torch.equal(chart.weights(theta + 1), theta + 1)


def test_masked_weights_are_exact_zeros_in_each_replicate(theta, mask):
    weights = masked(full(theta), mask).weights(theta)
    assert [(row == 0).nonzero().flatten().tolist() for row in weights] == [[1, 4], [0, 1, 6], [7]]


def test_kept_weights_are_untouched_to_the_bit(theta, mask):
    assert torch.equal(masked(full(theta), mask).weights(theta)[mask], theta[mask])


def test_masking_leaves_the_start_as_it_was(theta, mask):
    assert torch.equal(masked(full(theta), mask).start, theta)


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
