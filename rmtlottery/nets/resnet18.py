"""ResNet-18 (He et al. 2016) for small pictures: a 3x3 stem, no pooling; shortcuts of kind B, which are convolutions."""

from functools import lru_cache

import torch
from torch import nn

from rmtlottery.nets.module import Modular, modular, seeded
from rmtlottery.nets.resnet import Block, Residual, widths
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Resnet18


@lru_cache(maxsize=4)
def resnet18(net: Resnet18, shape: tuple[int, ...], classes: int) -> Modular:
    """A stem, four times two blocks of two convolutions, the mean over pixels, one linear layer."""
    if len(shape) != 3:
        raise Refusal(f"a resnet18 takes pictures (channels, height, width), and these inputs have shape {shape}; take skip")
    with seeded(0, torch.device("cpu")):
        module = Residual(Projected, widths(net.stem, 4, 2), shape[0], classes)
    return modular(module, shape, classes)


class Projected(Block):
    """The shortcut is x where the shape stays, else a strided 1x1 convolution of it, normalised."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__(inward, outward)
        self.shortcut = nn.Sequential()
        if inward != outward:
            convolution = nn.Conv2d(inward, outward, 1, stride=self.stride, bias=False)
            self.shortcut = nn.Sequential(convolution, nn.BatchNorm2d(outward))

    def over(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x)
