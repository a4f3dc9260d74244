"""The residual net: published sizes, and its blocks against convolutions written out."""

import pytest
import torch
from torch.nn.functional import conv2d, relu

from rmtlottery.nets import build
from rmtlottery.nets.resnet import Block
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Resnet


def parameters(network):
    return sum(torch.Size(shape).numel() for shape in network.shapes.values())


@pytest.mark.parametrize(
    ("depth", "classes", "number"), [(20, 10, 269_722), (32, 10, 464_154), (20, 100, 269_722 + 90 * 65)]
)
def test_there_are_as_many_parameters_as_published(depth, classes, number):
    """0.27M and 0.46M (He et al. 2016, table 6), with shortcuts that have none."""
    assert parameters(build(Resnet(depth=depth), (3, 32, 32), classes)) == number


@pytest.mark.parametrize("depth", [8, 20])
def test_there_are_as_many_layers_as_its_depth_says(depth):
    assert len(build(Resnet(depth=depth, stem=4), (3, 9, 8), 5).prunable) == depth


def test_a_depth_that_is_not_six_n_plus_two_is_refused():
    with pytest.raises(Refusal, match=r"depth = 9 is not 6 n \+ 2"):
        Resnet(depth=9)


def test_a_width_and_inputs_of_another_kind():
    network = build(Resnet(depth=8, stem=5), (1, 12, 9), 7)
    assert network.shapes["stem.weight"] == (5, 1, 3, 3)
    assert network.shapes["out.weight"] == (7, 20)
    assert network.batched
    x = torch.randn(2, 3, 108, generator=torch.Generator().manual_seed(0))
    weights = {name: torch.stack([value] * 2) for name, value in (network.own(0) | network.buffers).items()}
    assert network.logits(weights, x).shape == (2, 3, 7)


def seen(block, shape):
    """A block in eval mode with all of its tensors at random, and inputs."""
    stream = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, value in block.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=stream) + 0.5 * name.endswith("var") - 0.4 * ("conv" in name))
    return block.eval(), torch.randn(4, *shape, generator=stream)


def norm(x, block, name):
    part = getattr(block, name)
    mean, var, scale, shift = (v[:, None, None] for v in (part.running_mean, part.running_var, part.weight, part.bias))
    return (x - mean) / (var + 1e-5).sqrt() * scale + shift


@pytest.mark.parametrize(("inward", "outward", "stride"), [(3, 3, 1), (3, 6, 2), (2, 5, 2)])
@torch.no_grad()
def test_a_block_adds_two_convolutions_to_its_input(inward, outward, stride):
    """Kind A: where channels grow, every other pixel is taken, and the new channels are 0."""
    block, x = seen(Block(inward, outward), (inward, 8, 6))
    inner = relu(norm(conv2d(x, block.conv1.weight, stride=stride, padding=1), block, "norm1"))
    inner = norm(conv2d(inner, block.conv2.weight, padding=1), block, "norm2")
    shortcut = torch.zeros_like(inner)
    for row in range(inner.shape[2]):
        for column in range(inner.shape[3]):
            shortcut[:, :inward, row, column] = x[:, :, stride * row, stride * column]
    torch.testing.assert_close(block(x), relu(inner + shortcut), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_with_nothing_inside_a_block_only_the_shortcut_is_left():
    block, x = seen(Block(2, 5), (2, 4, 4))
    block.norm2.weight.zero_()
    block.norm2.bias.zero_()
    expected = torch.zeros(4, 5, 2, 2)
    expected[:, :2] = relu(x[:, :, [0, 2]][:, :, :, [0, 2]])
    assert torch.equal(block(x), expected)
    assert block.conv1.stride == (2, 2)
    assert block.conv2.stride == (1, 1)


def test_thirds_of_the_net_double_in_width_and_halve_in_size():
    network = build(Resnet(depth=14, stem=4), (3, 16, 12), 5)
    found = [network.shapes[name][:2] for name in network.prunable]
    assert found == [(4, 3), *[(4, 4)] * 4, (8, 4), *[(8, 8)] * 3, (16, 8), *[(16, 16)] * 3, (5, 16)]
    strides = [part.conv1.stride[0] for part in network.module.blocks]
    assert strides == [1, 1, 2, 1, 2, 1]
