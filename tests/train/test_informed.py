"""Masks that look at data, against the same scores worked out here."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from rmtlottery.refusal import Refusal
from rmtlottery.train.controls import CONTROLS
from rmtlottery.train.informed import LENGTH, discs, ranked, row_by_row
from rmtlottery.train.material import material
from tests.conftest import assert_mean


def forward(weights, x):
    """Inputs of every layer of a tanh net, and its logits."""
    given = [x]
    for layer in (1, 2):
        given.append(torch.tanh(given[-1] @ weights[f"fc{layer}.weight"].T + weights[f"fc{layer}.bias"]))
    return given, given[-1] @ weights["fc3.weight"].T + weights["fc3.bias"]


@pytest.fixture
def parent(tiny_run):
    return tiny_run[0, 3]


def largest(scores, number):
    """The places of the largest scores of all layers together."""
    flat = torch.cat([score.flatten() for score in scores])
    kept = torch.zeros(len(flat), dtype=torch.bool)
    kept[flat.argsort(descending=True)[:number]] = True
    return kept.split([score.numel() for score in scores])


def test_snip_mask_keeps_the_largest_weight_times_gradient_of_the_dense_net(parent):
    train = material(parent.spec).data.train
    weights = {name: value.double().requires_grad_() for name, value in parent.start.items()}
    loss = cross_entropy(forward(weights, train.x.flatten(1).double())[1], train.y)
    names = list(parent.mask)
    slopes = torch.autograd.grad(loss, [weights[name] for name in names])
    scores = [(weights[name] * slope).abs().detach() for name, slope in zip(names, slopes, strict=True)]
    wanted = largest(scores, sum(int(mask.sum()) for mask in parent.mask.values()))
    found = CONTROLS["snip_mask"](parent, 5).mask
    differing = sum(int((found[n].flatten() != held).sum()) for n, held in zip(names, wanted, strict=True))
    assert differing <= 2, "float32 may swap neighbours in the ranking"


def test_snip_mask_is_scored_by_the_loss_that_the_ticket_minimises(parent):
    squared = replace(parent, spec=parent.spec.but(loss="squared"))
    masks = [CONTROLS["snip_mask"](ticket, 5).mask for ticket in (parent, squared)]
    assert any(not torch.equal(masks[0][name], masks[1][name]) for name in masks[0])


def test_synflow_mask_is_that_of_many_small_rounds(parent):
    """In one round only it is another: the scores are taken anew under what is left."""
    many = CONTROLS["synflow_mask"](parent, 5).mask
    assert all(torch.equal(many[name], mask) for name, mask in ranked(parent, 9, "synflow", 100).items())
    assert any(not torch.equal(many[name], mask) for name, mask in ranked(parent, 5, "synflow", 1).items())


def test_aligned_mask_knows_the_layers_below_as_they_are_cut(parent):
    ticket = CONTROLS["aligned_mask"](parent, 5)
    x = material(parent.spec).data.train.x.flatten(1).double()
    weights = {name: value.double().clone() for name, value in parent.start.items()}
    for place, (name, mask) in enumerate(parent.mask.items()):
        given = forward(weights, x)[0][place]
        scores = weights[name] * (weights[name] @ (given.T @ given / len(given)))
        kept = ticket.mask[name]
        assert int(kept.sum()) == int(mask.sum())
        assert scores[kept].min() > scores[~kept].max() - 1e-6 * scores.abs().max()
        weights[name][~kept] = 0


def test_local_mask_gives_every_unit_the_pixels_about_a_place(parent):
    ticket = CONTROLS["local_mask"](parent, 5)
    first = ticket.mask["fc1.weight"]
    number = int(parent.mask["fc1.weight"].sum())
    assert sorted(first.sum(1).tolist(), reverse=True) == [number // 12 + (row < number % 12) for row in range(12)], (
        "as evenly as it comes out"
    )
    assert spread(ticket) < 0.7 * (8**2 - 1) / 6, "by lot it is the variance of both sides"


def test_a_disc_is_what_is_nearest_to_its_place_in_all_channels_alike():
    nearness = discs(5, (3, 6, 9), np.random.default_rng(0)).reshape(5, 3, 6, 9)
    assert torch.equal(nearness[:, 0], nearness[:, 2])
    down, right = -nearness[:, 0].diff(n=2, dim=1), -nearness[:, 0].diff(n=2, dim=2)
    assert down.numpy() == pytest.approx(2) == right.numpy() == pytest.approx(2), "squared distance in pixels, unequal sides"


def test_places_are_uniform_over_the_picture():
    nearness = discs(4000, (1, 6, 9), np.random.default_rng(0)).reshape(4000, 6, 9)
    places = nearness.flatten(1).argmax(1)
    assert_mean((places // 9).double().numpy(), 2.5, rejects=3.0)
    assert_mean((places % 9).double().numpy(), 4.0, rejects=4.5)


def test_rows_are_filled_evenly_and_the_first_take_what_is_left_over():
    scores = torch.tensor([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    assert row_by_row(scores, 3).tolist() == [[True, False, True], [False, False, True]]


def test_local_init_mask_takes_large_weights_that_are_near(parent):
    """Kept weights are larger than those of discs, and nearer to each other than the largest are."""
    found = {name: CONTROLS[name](parent, 5) for name in ("local_init_mask", "local_mask", "init_mask")}
    size = {name: t.start["fc1.weight"][t.mask["fc1.weight"]].abs().mean() for name, t in found.items()}
    assert size["local_mask"] < 0.9 * size["local_init_mask"] < 0.9 * size["init_mask"]
    assert spread(found["local_mask"]) < spread(found["local_init_mask"]) < 0.95 * spread(found["init_mask"])
    assert torch.equal(found["local_init_mask"].mask["fc2.weight"], found["init_mask"].mask["fc2.weight"])


def spread(ticket):
    """Mean squared distance of a unit's pixels from their middle."""
    rows, columns = torch.arange(64) // 8, torch.arange(64) % 8
    places = [torch.stack([rows[m].double(), columns[m].double()]) for m in ticket.mask["fc1.weight"]]
    return np.mean([held.var(1, correction=0).sum().item() for held in places])


def test_local_mask_takes_pictures_alone(parent, tiny):
    from dataclasses import replace

    with pytest.raises(Refusal, match=r"local_mask takes pictures and .* inputs \(64,\)"):
        CONTROLS["local_mask"](replace(parent, spec=tiny.but(data="teacher")), 5)


def test_equal_lengths_gives_every_hidden_layer_the_same_signal(parent):
    ticket = CONTROLS["equal_lengths"](parent, 5)
    weights = {name: value.double() for name, value in ticket.rewound.items()}
    given = forward(weights, material(parent.spec).data.train.x.flatten(1).double())[0]
    lengths = [(given[layer - 1] @ weights[f"fc{layer}.weight"].T).square().mean().item() for layer in (1, 2)]
    assert lengths == pytest.approx([LENGTH, LENGTH], rel=1e-5)
    assert torch.equal(ticket.start["fc3.weight"], parent.start["fc3.weight"])


def test_equal_lengths_of_convolutions_counts_every_pixel(conv_run):
    ticket = CONTROLS["equal_lengths"](conv_run[0, 2], 5)
    held = material(conv_run.spec)
    weights = {name: value.double() for name, value in ticket.rewound.items()}
    for layer, (given, _) in zip(
        held.network.layers[:-1], held.network.signals(weights, held.data.train.x.double()), strict=False
    ):
        assert layer.linear(weights[f"{layer.name}.weight"], given).square().mean().item() == pytest.approx(LENGTH, rel=1e-5)


def test_a_layer_that_passes_nothing_is_left_alone(parent):
    from dataclasses import replace

    nothing = parent.mask | {"fc2.weight": torch.zeros_like(parent.mask["fc2.weight"])}
    ticket = CONTROLS["equal_lengths"](replace(parent, read=parent.read | {"mask": lambda: nothing}), 5)
    assert torch.equal(ticket.start["fc2.weight"], parent.start["fc2.weight"])
