"""Convolutional nets: convolutions, poolings, and fully connected layers at the end."""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch.nn.functional import conv2d, max_pool2d

from rmtlottery.nets.fc import dense
from rmtlottery.nets.network import Layer, Map, Network
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Conv


def conv(net: Conv, shape: tuple[int, ...], classes: int, phi: Map) -> Network:
    """Pictures -> net.channels -> net.widths -> classes, with names conv1.weight, ..., fc1.weight, ..."""
    check(net, shape)
    layers: list[Layer] = []
    prepare: Map = lambda x: x.unflatten(-1, shape)  # noqa: E731
    for number, (inward, outward) in enumerate(pairwise((shape[0], *net.channels)), start=1):
        kernel = (outward, inward, net.kernel, net.kernel)
        pooled = number - 1 in net.pools
        layers.append(Layer(f"conv{number}", kernel, convolution(net, number), prepare, net.bias, pooled))
        prepare = halve if number in net.pools else lambda x: x
    pooled = number in net.pools
    pixels = math.prod(picture_sizes(net, shape)[-1]) if net.readout == "flat" else 1
    units = (net.channels[-1] * pixels, *net.widths, classes)
    ends = dense(units, read_out(net, pooled), net.bias, pooled or net.readout == "mean")
    return Network((*layers, *ends), phi, widest(net, shape))


def convolution(net: Conv, number: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    return partial(convolve, stride=stride(net, number), padding=net.padding)


def stride(net: Conv, number: int) -> int:
    return net.strides[number - 1] if number <= len(net.strides) else 1


def convolve(weight: torch.Tensor, x: torch.Tensor, stride: int, padding: str) -> torch.Tensor:
    """(..., samples, in, H, W) -> (..., samples, out, H', W'), channels last in memory; replicates one after the other."""
    edge = weight.shape[-1] // 2 if padding != "none" else 0
    window = partial(conv2d, stride=stride, padding=edge if padding == "zero" else 0)
    pictures = channels_last(x.flatten(0, -4))
    if padding == "circular" and edge:
        pictures = around(pictures, edge)
    if weight.dim() == 4:
        return window(pictures, weight)
    parts = pictures.split(x.shape[1]) * (len(weight) // len(x))
    found = [window(part, one) for part, one in zip(parts, weight, strict=True)]
    return (torch.cat(found) if len(found) > 1 else found[0]).unflatten(0, (len(found), -1))


def channels_last(x: torch.Tensor) -> torch.Tensor:
    """(samples, channels, H, W) with the channels of a pixel side by side in memory, and by its strides if there is one."""
    return x if x.stride(1) == 1 else x.clone(memory_format=torch.channels_last)


def around(x: torch.Tensor, edge: int) -> torch.Tensor:
    """Pictures with their far edges repeated around them, as F.pad does, whose gradient costs four times as much."""
    for axis in (-2, -1):
        rest = x.shape[axis] - 2 * edge
        first, middle, last = x.split((min(edge, edge + rest), abs(rest), min(edge, edge + rest)), axis)
        far, near = ((last,), (first,)) if rest >= 0 else ((middle, last), (first, middle))
        x = torch.cat((*far, first, middle, last, *near), axis)
    return x


def halve(x: torch.Tensor) -> torch.Tensor:
    """The largest of every 2x2 pixels; an odd row or column at the end is left out."""
    return max_pool2d(x.flatten(0, -4), 2).unflatten(0, x.shape[:-3])


def read_out(net: Conv, pooled: bool) -> Map:
    """From the last convolution to what the fully connected layers see."""

    def read(x: torch.Tensor) -> torch.Tensor:
        x = halve(x) if pooled else x
        return x.mean((-2, -1)) if net.readout == "mean" else x.flatten(-3)

    return read


def picture_sizes(net: Conv, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Height and width after each convolution and the pooling that follows it."""
    height, width = shape[1:]
    sizes = []
    for number in range(1, len(net.channels) + 1):
        height, width = (one_side(net, number, side) for side in (height, width))
        sizes.append((height, width))
    return sizes


def widest(net: Conv, shape: tuple[int, ...]) -> int:
    """Numbers that a sample makes of a layer at most, what is pooled and the picture itself included."""
    made = [math.prod(shape), *net.widths]
    for number, (channels, (height, width)) in enumerate(zip(net.channels, picture_sizes(net, shape), strict=True), start=1):
        made.append(channels * height * width * (4 if number in net.pools else 1))
    return max(made)


def one_side(net: Conv, number: int, side: int) -> int:
    seen = side - net.kernel + 1 if net.padding == "none" else side
    strided = math.ceil(seen / stride(net, number))
    return strided // 2 if number in net.pools else strided


def check(net: Conv, shape: tuple[int, ...]) -> None:
    """Refuses inputs that are no pictures, schedules beyond the last convolution, and pictures that vanish."""
    if len(shape) != 3:
        raise Refusal(f"a net of convolutions takes pictures (channels, height, width), and these inputs have shape {shape}")
    if net.padding != "none" and net.kernel % 2 == 0:
        raise Refusal(f"kernel = {net.kernel} has no middle to pad around; take an odd one, or padding none")
    beyond = max(len(net.strides), *net.pools, 0)
    if beyond > len(net.channels):
        raise Refusal(f"strides and pools name convolution {beyond} of {len(net.channels)}; shorten them")
    sizes = [shape[1:], *picture_sizes(net, shape)]
    for number, (before, after) in enumerate(pairwise(sizes), start=1):
        if min(after) < 1:
            raise Refusal(f"convolution {number} leaves nothing of a {shape[1]}x{shape[2]} picture: fewer strides or pools")
        if net.padding == "circular" and net.kernel // 2 > min(before):
            seen = "x".join(map(str, before))
            raise Refusal(
                f"a kernel of {net.kernel} goes around a {seen} picture at convolution {number}; take a smaller one"
            )
