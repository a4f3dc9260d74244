"""Residual nets for small pictures (He et al. 2016, section 4.2; shortcuts of kind A: strided, filled up with zeros)."""

from functools import lru_cache
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import pad, relu

from rmtlottery.nets.module import Modular, modular, seeded
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Resnet


@lru_cache(maxsize=4)
def resnet(net: Resnet, shape: tuple[int, ...], classes: int) -> Modular:
    """A stem, three times n blocks of two convolutions, the mean over pixels, one linear layer."""
    if len(shape) != 3:
        raise Refusal(f"a resnet takes pictures (channels, height, width), and these inputs have shape {shape}")
    with seeded(0, torch.device("cpu")):
        module = Residual(Block, widths(net.stem, 3, (net.depth - 2) // 6), shape[0], classes)
    return modular(module, shape, classes)


def widths(stem: int, stages: int, blocks: int) -> list[int]:
    """Channels after the stem and after each block: twice as many from stage to stage."""
    return [stem, *(stem << stage for stage in range(stages) for _ in range(blocks))]


class Residual(nn.Module):
    def __init__(self, block: type["Block"], widths: list[int], inward: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(inward, widths[0], 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        self.blocks = nn.Sequential(*(block(a, b) for a, b in pairwise(widths)))
        self.out = nn.Linear(widths[-1], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.blocks(relu(self.norm(self.stem(x)))).mean((-2, -1)))


class Block(nn.Module):
    """x + two convolutions of x; where the channels grow, the picture shrinks by two."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.stride, self.new = (1 if inward == outward else 2), outward - inward
        self.conv1 = nn.Conv2d(inward, outward, 3, stride=self.stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outward)
        self.conv2 = nn.Conv2d(outward, outward, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outward)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))
        return relu(inner + self.over(x))

    def over(self, x: torch.Tensor) -> torch.Tensor:
        return pad(x[..., :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))
