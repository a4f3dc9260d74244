"""A Network is a chain of layers, a function of its weights, and says which of them can be pruned."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from rmtlottery.nets.network import Layer, Network, portion


def doubled(weight, x):
    return 2 * (x @ weight.mT)


def made_up():
    layers = (
        Layer("a", (4, 3), doubled, lambda x: x + 1),
        Layer("b", (2, 4), doubled, lambda x: x, bias=False, mixes=True),
    )
    return Network(layers, torch.relu, 4)


def drawn(*leading):
    stream = torch.Generator().manual_seed(0)
    return {name: torch.randn(*leading, *shape, generator=stream) for name, shape in made_up().shapes.items()}


def test_shapes_go_layer_by_layer_and_a_layer_may_have_no_bias():
    assert list(made_up().shapes.items()) == [("a.weight", (4, 3)), ("a.bias", (4,)), ("b.weight", (2, 4))]


def test_weights_can_be_pruned_and_biases_cannot():
    assert made_up().prunable == ["a.weight", "b.weight"]


def test_each_layer_is_given_what_phi_leaves_after_its_own_preparation():
    weights, x = drawn(), torch.tensor([[1.0, -2.0, 3.0]])
    first = 2 * (x + 1) @ weights["a.weight"].T + weights["a.bias"]
    (seen, h1), (passed, h2) = made_up().signals(weights, x)
    torch.testing.assert_close(seen, x + 1)
    torch.testing.assert_close(h1, first)
    torch.testing.assert_close(passed, first.clamp(min=0))
    torch.testing.assert_close(h2, 2 * first.clamp(min=0) @ weights["b.weight"].T)


def test_logits_are_the_last_preactivations_and_what_learning_sees():
    weights, x = drawn(3), torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(1))
    logits = made_up().logits(weights, x)
    assert torch.equal(logits, made_up().preactivations(weights, x)[-1])
    learnt, buffers = made_up().learn(weights, {}, x, lambda place: pytest.fail("nothing is random here"))
    assert torch.equal(logits, learnt)
    assert buffers == {}


def test_a_network_is_frozen():
    network = made_up()
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'layers'"):
        network.layers = ()


def test_a_portion_fits_the_widest_layer_and_has_its_limits():
    assert portion(2**12) == 1024
    assert portion(10) == 2048
    assert portion(2**30) == 16
    assert portion(2**17, "cuda") == 1024
