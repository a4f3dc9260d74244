"""What each control of masks draws, beyond what it keeps and changes of its parent."""

import numpy as np
import pytest
import torch

from rmtlottery.nets import build
from rmtlottery.nets.init import initial
from rmtlottery.refusal import Refusal
from rmtlottery.train.controls import CONTROLS
from tests.conftest import TINY, assert_mean
from tests.prune.held import handmade


def test_random_mask_has_equal_densities_but_for_chance(tiny_run):
    """Averaged over draws the last layer keeps the net's density, not its own higher one."""
    parent = tiny_run[0, 3]
    last = list(parent.mask)[-1]
    own = parent.mask[last].float().mean().item()
    found = [CONTROLS["random_mask"](parent, seed).mask[last].float().mean().item() for seed in range(60)]
    assert_mean(found, parent.density, rejects=own)


def test_shuffle_mask_moves_weights_between_rows(tiny_run):
    parent = tiny_run[0, 3]
    mask = parent.mask["fc1.weight"]
    row = int(mask.sum(1).argmax())
    found = [CONTROLS["shuffle_mask"](parent, seed).mask["fc1.weight"][row].sum().item() for seed in range(60)]
    assert_mean(found, mask.sum().item() / len(mask), rejects=mask[row].sum().item())


def test_layers_of_one_shape_are_shuffled_differently():
    spec = TINY.but(widths="64,64")
    start = initial(spec.init, build(spec.net, (64,), 10).shapes, 3)
    half = {name: (torch.arange(v.numel()) % 2 == 0).reshape(v.shape) for name, v in start.items() if v.dim() > 1}
    mask = CONTROLS["shuffle_mask"](handmade(spec, start, half), 5).mask
    agree = (mask["fc1.weight"] == mask["fc2.weight"]).double().flatten().numpy()
    assert_mean(agree, 0.5, rejects=0.6)


def test_init_mask_keeps_the_largest_of_the_start(parent):
    ticket = CONTROLS["init_mask"](parent, 5)
    for name, mask in ticket.mask.items():
        size = ticket.start[name].abs()
        assert size[mask].min() >= size[~mask].max()


def test_one_cut_mask_keeps_the_largest_of_the_trained_dense_net(tiny_run):
    ticket, dense = CONTROLS["one_cut_mask"](tiny_run[1, 3], 5), tiny_run[1, 0].weights
    for name, mask in ticket.mask.items():
        size = dense[name].abs()
        assert size[mask].min() >= size[~mask].max()


def test_one_cut_mask_needs_the_run_that_holds_the_dense_net(wide):
    with pytest.raises(Refusal, match="is of no run, so there is no dense net to cut at once"):
        CONTROLS["one_cut_mask"](wide, 5)


@pytest.mark.parametrize(("name", "way"), [("in_degree_mask", 0), ("out_degree_mask", 1)])
def test_what_degrees_of_one_side_leave_free_is_by_lot(wide, name, way):
    """Degrees of the other side spread as those of places drawn without replacement, not as the parent's do."""
    layer = "fc1.weight"
    uneven = wide.mask[layer].clone()
    uneven[:, :20], uneven[:40] = True, True
    parent = handmade(wide.spec, wide.start, wide.mask | {layer: uneven})
    masks = [CONTROLS[name](parent, seed).mask[layer].double() for seed in range(8)]
    shares = uneven.double().mean(1 - way)
    expected = (shares * (1 - shares)).sum().item()
    found = np.concatenate([(mask.sum(way) - mask.sum(way).mean()).square().numpy() for mask in masks])
    theirs = uneven.double().sum(way).var(correction=0).item()
    assert_mean(found, expected * (1 - 1 / uneven.shape[1 - way]), rejects=theirs)


def test_scatter_moves_each_weight_with_its_place(wide):
    """A start that says where it stood: after the move a kept place holds what a kept place held."""
    numbered = {n: torch.arange(v.numel(), dtype=v.dtype).reshape(v.shape) for n, v in wide.start.items()}
    ticket = CONTROLS["scatter"](handmade(wide.spec, numbered, wide.mask), 5)
    for name, mask in ticket.mask.items():
        assert torch.equal(ticket.start[name][mask].sort().values, numbered[name][wide.mask[name]].sort().values)
        both, density = (mask & wide.mask[name]).double().mean().item(), wide.mask[name].double().mean().item()
        assert both == pytest.approx(density**2, abs=0.02), "places have nothing to do with the ticket's"
