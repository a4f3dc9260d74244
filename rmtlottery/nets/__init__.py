"""Networks, and where their first weights come from."""

from collections.abc import Callable
from typing import Any

from rmtlottery.nets.activation import PHI
from rmtlottery.nets.conv import conv
from rmtlottery.nets.fc import fc
from rmtlottery.nets.lenet import lenet
from rmtlottery.nets.module import Modular
from rmtlottery.nets.network import Map, Network
from rmtlottery.nets.resnet import resnet
from rmtlottery.nets.resnet18 import resnet18
from rmtlottery.nets.skip import skip
from rmtlottery.nets.transformer import transformer
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Net

__all__ = ["AnyNetwork", "Modular", "Network", "build", "chain"]

AnyNetwork = Network | Modular
CHAINS: dict[str, Callable[..., Network]] = {"fc": fc, "conv": conv, "lenet": lenet}
MODULES: dict[str, Callable[..., Modular]] = {
    "resnet": resnet,
    "resnet18": resnet18,
    "skip": skip,
    "transformer": transformer,
}


def build(net: Net, shape: tuple[int, ...], classes: int) -> AnyNetwork:
    """The network that a Spec's net describes, for inputs of this shape and this many classes."""
    if net.kind in MODULES:
        return MODULES[net.kind](net, shape, classes)
    return chain(net, shape, classes)


def chain(net: Any, shape: tuple[int, ...], classes: int, phi: Map | None = None) -> Network:
    """A chain of layers; another `phi` may take the place of its own."""
    if net.kind == "module":
        raise Refusal(f"the net is {net.module}, a module of yours, which no run holds: pass it to rl.fit as net=")
    if net.kind not in CHAINS:
        raise Refusal(f"a {net.kind} is no chain of layers, whose signal theory follows; take {' or '.join(CHAINS)}")
    return CHAINS[net.kind](net, shape, classes, phi or PHI[net.phi])
