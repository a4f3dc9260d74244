"""Layers of kept weights alone against the same layers whole, zeros and all."""

import pytest
import torch

from rmtlottery.nets.dense import Dense
from rmtlottery.nets.sparse import Pattern, Sparse

OUT, IN, SAMPLES = 6, 9, 5
MASKS = torch.rand(3, OUT, IN, generator=torch.Generator().manual_seed(0)) < 0.3
MASKS[1, 2], MASKS[2, :, 4] = False, False  # a unit without inputs, and an input that nothing reads


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layers(seeds):
    """One layer whole and the same one of its survivors."""
    weight, bias = drawn(seeds, OUT, IN, seed=1) * MASKS[:seeds], drawn(seeds, OUT, seed=2)
    whole = Dense(weight, bias, torch.empty_like(weight), torch.empty_like(bias))
    kept = [w[mask] for w, mask in zip(weight, MASKS, strict=False)]
    few = Sparse(
        [Pattern.of(mask) for mask in MASKS[:seeds]],
        kept,
        list(bias),
        [torch.full_like(w, float("nan")) for w in kept],
        list(torch.full_like(bias, float("nan"))),
    )
    return whole, few


@pytest.mark.parametrize("seeds", [1, 3])
def test_forward_and_back_are_those_of_the_whole_layer(seeds):
    whole, few = layers(seeds)
    x, delta = drawn(seeds, SAMPLES, IN, seed=3), drawn(seeds, SAMPLES, OUT, seed=4)
    torch.testing.assert_close(few.forward(x, "erf"), whole.forward(x, "erf"), rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(few.back(delta), whole.back(delta), rtol=1e-13, atol=1e-14)


def test_one_set_of_inputs_serves_every_seed():
    whole, few = layers(3)
    x = drawn(1, SAMPLES, IN, seed=3)
    torch.testing.assert_close(few.forward(x, "tanh"), whole.forward(x, "tanh"), rtol=1e-13, atol=1e-14)


def test_gradients_are_those_of_the_whole_layer_where_weights_are_kept():
    whole, few = layers(3)
    x, delta = drawn(3, SAMPLES, IN, seed=3), drawn(3, SAMPLES, OUT, seed=4)
    whole.write(delta, x)
    few.write(delta, x)
    for seed, mask in enumerate(MASKS):
        torch.testing.assert_close(few.weight_slope[seed], whole.weight_slope[seed][mask], rtol=1e-13, atol=1e-14)
        torch.testing.assert_close(few.bias_slope[seed], whole.bias_slope[seed], rtol=1e-13, atol=1e-14)


def test_a_layer_follows_its_weights_when_they_move_in_place():
    _, few = layers(1)
    x = drawn(1, SAMPLES, IN)
    before = few.forward(x, "linear").x
    few.weight[0].mul_(2)
    few.bias[0].mul_(2)
    torch.testing.assert_close(few.forward(x, "linear").x, 2 * before, rtol=1e-13, atol=1e-14)
    delta = drawn(1, SAMPLES, OUT)
    turned = few.back(delta)
    few.weight[0].mul_(3)
    torch.testing.assert_close(few.back(delta), 3 * turned, rtol=1e-13, atol=1e-14)
