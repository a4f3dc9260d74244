"""ResNet-18: published sizes, and its blocks against convolutions written out."""

import pytest
import torch
from torch.nn.functional import conv2d, relu

import rmtlottery as rl
from rmtlottery.nets import build
from rmtlottery.nets.resnet18 import Projected
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Resnet, Resnet18
from rmtlottery.tickets.spec import Spec
from tests.nets.test_resnet import norm, parameters, seen


def test_there_are_as_many_parameters_as_published():
    """torchvision's has 11,181,642 for ten classes: this one's stem has 3x3 taps, not 7x7."""
    network = build(rl.preset("resnet18_cifar10").net, (3, 32, 32), 10)
    assert parameters(network) == 11_173_962 == 11_181_642 - 64 * 3 * (49 - 9)
    assert network.batched


def test_resnet_20_is_of_the_size_that_was_studied():
    """Li et al. 2018 and Gargiulo 2023 count 272 to 293 thousand; He et al.'s .27M leaves shortcuts without weights."""
    assert 269e3 < parameters(build(Resnet(depth=20), (3, 32, 32), 10)) < 293e3


def test_stages_double_in_width_and_halve_in_size():
    network = build(Resnet18(stem=2), (3, 16, 12), 5)
    layers = [network.shapes[name] for name in network.prunable]
    assert [shape[:2] for shape in layers if len(shape) == 2 or shape[2] == 3] == [
        (2, 3), *[(2, 2)] * 4, (4, 2), *[(4, 4)] * 3, (8, 4), *[(8, 8)] * 3, (16, 8), *[(16, 16)] * 3, (5, 16),
    ]  # fmt: skip
    assert [shape for shape in layers if shape[2:] == (1, 1)] == [(4, 2, 1, 1), (8, 4, 1, 1), (16, 8, 1, 1)]
    assert len(layers) - 3 == 18
    assert [part.conv1.stride[0] for part in network.module.blocks] == [1, 1, 2, 1, 2, 1, 2, 1]
    assert network.module.stem.stride == (1, 1)


@pytest.mark.parametrize(("inward", "outward", "stride"), [(3, 3, 1), (3, 6, 2)])
@torch.no_grad()
def test_a_block_adds_two_convolutions_to_its_shortcut(inward, outward, stride):
    """Kind B: where channels grow, every other pixel is taken to the new ones by a matrix, and normalised."""
    block, x = seen(Projected(inward, outward), (inward, 8, 6))
    inner = relu(norm(conv2d(x, block.conv1.weight, stride=stride, padding=1), block, "norm1"))
    inner = norm(conv2d(inner, block.conv2.weight, padding=1), block, "norm2")
    shortcut = x
    if outward != inward:
        matrix = block.shortcut[0].weight[:, :, 0, 0]
        shortcut = norm(torch.einsum("oi,nihw->nohw", matrix, x[:, :, ::2, ::2]), block.shortcut, "1")
    torch.testing.assert_close(block(x), relu(inner + shortcut), rtol=1e-5, atol=1e-5)


def test_replicates_compute_what_each_would_alone():
    network = build(Resnet18(stem=2), (1, 9, 8), 7)
    x = torch.randn(2, 3, 72, generator=torch.Generator().manual_seed(0))
    alone = [network.own(seed) | network.buffers for seed in (0, 1)]
    together = {name: torch.stack([held[name] for held in alone]) for name in alone[0]}
    found = network.logits(together, x)
    for place, weights in enumerate(alone):
        torch.testing.assert_close(found[place], network.logits(weights, x[place]), rtol=1e-4, atol=1e-5)


def test_every_parameter_has_a_gradient():
    network = build(Resnet18(stem=2), (3, 8, 8), 5)
    x = torch.randn(1, 6, 192, generator=torch.Generator().manual_seed(0))
    weights = {name: value[None].requires_grad_() for name, value in network.own(0).items()}
    buffers = {name: value[None] for name, value in network.buffers.items()}
    logits, left = network.learn(weights, buffers, x, lambda seed: 0)
    for gradient in torch.autograd.grad(logits.square().sum(), list(weights.values())):
        assert gradient.isfinite().all()
        assert gradient.any()
    assert not torch.equal(left["blocks.2.shortcut.1.running_mean"], buffers["blocks.2.shortcut.1.running_mean"])


def test_it_is_trained_and_pruned_as_others_are(tmp_path):
    spec = rl.preset("first").but(net={"kind": "resnet18", "stem": 2}, init="he", epochs=1, levels=1, batch=500, seeds=0)
    run = rl.fit(spec, tmp_path)
    assert not run[0, 1].mask["blocks.2.shortcut.0.weight"].all()
    assert not torch.equal(run[0, 1].weights["stem.weight"], run[0, 1].rewound["stem.weight"])
    assert Spec.from_json(run.spec.to_json()) == run.spec


@pytest.mark.parametrize("shape", [(192,), (8, 8), (1, 3, 8, 8)])
def test_inputs_that_are_no_pictures_are_refused(shape):
    with pytest.raises(Refusal, match=r"a resnet18 takes pictures \(channels, height, width\), and these inputs have shape"):
        build(Resnet18(stem=2), shape, 10)
