"""Networks, and where their first weights come from."""

from collections.abc import Callable

from rmtlottery.nets.fc import fc
from rmtlottery.nets.network import Network
from rmtlottery.tickets.parts import Net

KINDS: dict[str, Callable[..., Network]] = {"fc": fc}


def build(net: Net, inputs: int, classes: int) -> Network:
    """The network that a Spec's net describes, for inputs of this length and this many classes."""
    return KINDS[net.kind](net, inputs, classes)
