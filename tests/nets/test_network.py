"""A Network is a function of its weights and says which of them can be pruned."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from rmtlottery.nets.network import Network

SHAPES = {"fc1.weight": (4, 3), "fc1.bias": (4,), "conv.weight": (2, 1, 3, 3), "scale": ()}


def made_up():
    return Network(SHAPES, lambda weights, x: [x, x + weights["scale"], x * 10])


def test_whatever_has_two_axes_or_more_can_be_pruned():
    assert made_up().prunable == ["fc1.weight", "conv.weight"]


def test_logits_are_the_last_preactivations():
    assert made_up().logits({"scale": torch.tensor(5.0)}, torch.tensor([1.0, 2.0])).tolist() == [10.0, 20.0]


def test_a_network_is_frozen():
    network = made_up()
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'shapes'"):
        network.shapes = {}
