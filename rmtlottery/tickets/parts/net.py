"""What is computed."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from rmtlottery.tickets.fields import at_least, each_at_least, six_n_plus_two, some
from rmtlottery.tickets.parts.part import Part

PHI_HELP = "activation"
Phi = Literal["tanh", "erf", "relu", "leaky_relu", "hard_tanh", "linear", "gelu", "silu"]
Padding = Literal["circular", "zero", "none"]
Readout = Literal["mean", "flat"]
Sharing = Literal["tied", "untied", "full", "tied_full"]
SHARING_HELP = "5x5 kernels, tied or one a unit (untied); matrices (full); kernels that reach across the picture (tied_full)"


@dataclass(frozen=True)
class Net(Part):
    """What is computed."""


@dataclass(frozen=True)
class FC(Net):
    """A fully connected net: inputs -> widths -> classes, `phi` after every hidden layer."""

    kind: ClassVar[str] = "fc"
    phi: Annotated[Phi, PHI_HELP] = "tanh"
    widths: Annotated[tuple[int, ...], "hidden widths, e.g. 8x256 or 300,100", some, each_at_least(1)] = (256,) * 8


@dataclass(frozen=True)
class Conv(Net):
    """Convolutions, then fully connected layers: `phi` after each but the last, then the pooling where there is any."""

    kind: ClassVar[str] = "conv"
    phi: Annotated[Phi, PHI_HELP] = "tanh"
    channels: Annotated[tuple[int, ...], "channels of each convolution, e.g. 8x128", some, each_at_least(1)] = (128,) * 8
    kernel: Annotated[int, "side of the convolutions", at_least(1)] = 3
    padding: Annotated[Padding, "edges of pictures; with none they shrink at each convolution"] = "circular"
    strides: Annotated[tuple[int, ...], "strides of the first convolutions; the others have 1", each_at_least(1)] = ()
    pools: Annotated[tuple[int, ...], "convolutions followed by 2x2 max pooling; the first is 1", each_at_least(1)] = ()
    readout: Annotated[Readout, "what the fully connected layers see of the pixels"] = "mean"
    widths: Annotated[tuple[int, ...], "widths of hidden fully connected layers at the end", each_at_least(1)] = ()
    bias: Annotated[bool, "whether layers have biases"] = True


@dataclass(frozen=True)
class LeNet(Net):
    """Convolutions of 6 and 16 channels, each pooled 2x2, then layers of 120 and 84; or the same shared otherwise."""

    kind: ClassVar[str] = "lenet"
    phi: Annotated[Phi, PHI_HELP] = "relu"
    sharing: Annotated[Sharing, SHARING_HELP] = "tied"


@dataclass(frozen=True)
class Resnet(Net):
    """A residual net for small pictures, of 6n + 2 layers with batch normalisation (He et al. 2016, section 4.2)."""

    kind: ClassVar[str] = "resnet"
    depth: Annotated[int, "layers: 8, 14, 20, 32, 44, ...", at_least(8), six_n_plus_two] = 20
    stem: Annotated[int, "channels of the first third; twice and four times as many in the others", at_least(1)] = 16


@dataclass(frozen=True)
class Resnet18(Net):
    """ResNet-18 (He et al. 2016) with a 3x3 stem, for small pictures: four stages of two blocks, batch normalisation."""

    kind: ClassVar[str] = "resnet18"
    stem: Annotated[int, "channels of the first stage; twice, 4 and 8 times as many in the others", at_least(1)] = 64


@dataclass(frozen=True)
class Skip(Net):
    """A fully connected net with skips over two layers: each block adds to the pre-activation."""

    kind: ClassVar[str] = "skip"
    phi: Annotated[Phi, PHI_HELP] = "tanh"
    units: Annotated[int, "units of every layer but the last", at_least(1)] = 256
    blocks: Annotated[int, "blocks of two layers, between the first layer and the last", at_least(1)] = 4


@dataclass(frozen=True)
class Transformer(Net):
    """Attention without a mask and two layers in each block, normalised before them; classes are read off the last place."""

    kind: ClassVar[str] = "transformer"
    units: Annotated[int, "width of the stream", at_least(1)] = 32
    heads: Annotated[int, "heads of the attention, which share out the units", at_least(1)] = 2
    blocks: Annotated[int, "blocks of attention and two layers", at_least(1)] = 1


@dataclass(frozen=True)
class Module(Net):
    """A torch module that the user passes as `net=`; the Spec knows it by name and fingerprint."""

    kind: ClassVar[str] = "module"
    module: Annotated[str, "the module's class"] = ""
    architecture: Annotated[str, "mark of what it is, and of the values in it that no seed draws"] = ""
