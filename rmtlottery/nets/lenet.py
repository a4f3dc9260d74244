"""LeNet, and the same net with its convolutions' weights untied, or seeing the whole picture, or both (Li et al. 2018).

Where each unit has weights of its own, units go channel by channel, and in a channel four by four: those of one 2x2 pooling
are neighbours, as what follows dead units from layer to layer takes for granted.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import NamedTuple

import torch
from torch.nn.functional import conv2d

from rmtlottery.nets.conv import conv, convolve, halve
from rmtlottery.nets.fc import dense, product
from rmtlottery.nets.network import Layer, Map, Network
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Conv, LeNet

CHANNELS, UNITS, SIDE = (6, 16), (120, 84), 5
TIED = Conv(channels=CHANNELS, kernel=SIDE, padding="none", pools=(1, 2), readout="flat", widths=UNITS)
LEAST = {"tied": 16, "untied": 16, "full": 16, "tied_full": 4}
Size = tuple[int, ...]


class Place(NamedTuple):
    """What stands where a convolution would, given (channels, height, width)."""

    given: Size  # as `linear` wants it
    weight: Size
    linear: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    made: Size  # channels, height, width
    pool: Map  # from phi of what was made to what is left of it, flat
    widest: int


def lenet(net: LeNet, shape: Size, classes: int, phi: Map) -> Network:
    """Pictures -> 6 and 16 channels, each halved -> 120 -> 84 -> classes, with names conv1, conv2, fc1, fc2, fc3."""
    check(net, shape)
    if net.sharing == "tied":
        return conv(TIED, shape, classes, phi)
    first = PLACES[net.sharing](shape, CHANNELS[0])
    second = PLACES[net.sharing](halved(first.made), CHANNELS[1])
    layers = (
        Layer("conv1", first.weight, first.linear, partial(pooled, pool=lambda x: x, given=first.given)),
        Layer("conv2", second.weight, second.linear, partial(pooled, pool=first.pool, given=second.given), mixes=True),
        *dense((prod(halved(second.made)), *UNITS, classes), second.pool, mixes=True),
    )
    return Network(layers, phi, max(prod(shape), *UNITS, classes, first.widest, second.widest))


def pooled(x: torch.Tensor, pool: Map, given: Size) -> torch.Tensor:
    return pool(x).unflatten(-1, given)


def untied(given: Size, channels: int) -> Place:
    """A kernel and a bias for every unit: weights (units, in, 5, 5)."""
    made = (channels, *(side - SIDE + 1 for side in given[1:]))
    weight = (prod(made), given[0], SIDE, SIDE)
    widest = max(prod(made), prod(made[1:]) * prod(weight[1:]))
    return Place(given, weight, partial(apart, made=made), made, lambda x: fours(x.flatten(-3)), widest)


def full(given: Size, channels: int) -> Place:
    """A matrix to as many units."""
    made = (channels, *(side - SIDE + 1 for side in given[1:]))
    return Place((prod(given),), (prod(made), prod(given)), product, made, fours, prod(made))


def tied_full(given: Size, channels: int) -> Place:
    """A convolution, zeros around the picture, whose kernel reaches from any pixel to any other."""
    made = (channels, *given[1:])
    weight = (channels, given[0], *(2 * side - 1 for side in given[1:]))
    return Place(given, weight, across, made, lambda x: halve(x).flatten(-3), prod(made))


def halved(made: Size) -> Size:
    return made[0], *(side // 2 for side in made[1:])


def apart(weight: torch.Tensor, x: torch.Tensor, made: Size) -> torch.Tensor:
    """(..., samples, in, H, W) -> (..., samples, units, 1, 1); other than one kernel a unit, they are for all positions."""
    if weight.shape[-4] != prod(made):
        return convolve(weight, x, stride=1, padding="none")
    kernels = weight.flatten(-3).unflatten(-2, (made[0], -1)).transpose(-3, -2)
    h = kernels @ windows(x)
    return h.transpose(-3, -1).flatten(-2)[..., None, None]


def windows(x: torch.Tensor) -> torch.Tensor:
    """(..., samples, in, H, W) -> (..., positions, in x 5 x 5, samples), the positions four by four.

    Samples are side by side in memory, so that what is copied is in long runs.
    """
    seen = x.movedim(-4, -1).contiguous().unfold(-3, SIDE, 1).unfold(-3, SIDE, 1)
    seen = seen.unflatten(-5, (-1, 2)).unflatten(-4, (-1, 2))  # in, rows, 2, columns, 2, samples, 5, 5
    seen = seen.permute(*range(seen.dim() - 8), -7, -5, -6, -4, -8, -2, -1, -3)
    return seen.flatten(-8, -5).flatten(-4, -2)


def fours(x: torch.Tensor) -> torch.Tensor:
    """The largest of every four neighbours."""
    return x.unflatten(-1, (-1, 4)).amax(-1)


def across(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """(..., samples, in, H, W) -> (..., samples, out, H, W); replicates one after the other."""
    if weight.dim() == 4:
        return slid(weight, x)
    found = [slid(*one) for one in zip(weight, x.expand(len(weight), *x.shape[1:]), strict=True)]
    return torch.stack(found) if len(found) > 1 else found[0][None]


def slid(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The picture, turned about, slides over the kernel: a quarter of the products that a padded picture takes."""
    return conv2d(weight.flip((-2, -1)), x.flip((-2, -1))).transpose(0, 1)


PLACES: dict[str, Callable[[Size, int], Place]] = {"untied": untied, "full": full, "tied_full": tied_full}


def check(net: LeNet, shape: Size) -> None:
    """Refuses inputs that are no pictures, or too small, or leave a row over where units are pooled four by four."""
    if len(shape) != 3:
        raise Refusal(f"a lenet takes pictures (channels, height, width), and these inputs have shape {shape}; take fc")
    seen, least = f"{shape[1]}x{shape[2]}", LEAST[net.sharing]
    if min(shape[1:]) < least:
        other = "sharing tied_full" if min(shape[1:]) >= LEAST["tied_full"] else "fc"
        raise Refusal(f"sharing = {net.sharing} takes pictures of at least {least}x{least}, not {seen}; take {other}")
    if net.sharing in ("untied", "full") and any(side % 4 for side in shape[1:]):
        raise Refusal(
            f"sharing = {net.sharing} halves twice and leaves no row over, which takes sides that are multiples of 4, not "
            f"{seen}; cut the pictures, or take sharing tied or tied_full"
        )
