"""`Material`: the network and the data of a Spec, built here or handed over."""

from dataclasses import dataclass

from rmtlottery import datasets, nets
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.nets import AnyNetwork
from rmtlottery.nets.init import drawn, initial
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Weights


@dataclass(frozen=True)
class Material:
    """What training needs besides a Spec."""

    spec: Spec
    network: AnyNetwork
    data: Dataset

    def on(self, device: str) -> "Material":
        return Material(self.spec, self.network, self.data.to(device))

    @property
    def chain(self) -> bool:
        """Whether the net is a chain of layers, whose signal theory follows."""
        return isinstance(self.network, nets.Network)

    @property
    def linear(self) -> AnyNetwork:
        """The network without `phi`, where it is a chain."""
        if isinstance(self.network, nets.Modular):
            return self.network
        return nets.chain(self.spec.net, self.data.shape, self.data.classes, phi=lambda h: h)

    def theta(self, seed: int) -> Weights:
        """theta_0 of a seed, buffers included."""
        network = self.network
        if not isinstance(network, nets.Modular):
            return initial(self.spec.init, network.shapes, seed)
        if self.spec.init.kind == "passed":
            return network.passed() | network.buffers
        if self.spec.init.kind == "own":
            return network.own(seed) | network.buffers
        return network.own(seed) | initial(self.spec.init, drawn(network.shapes, network.prunable), seed) | network.buffers


def material(spec: Spec, network: AnyNetwork | None = None, data: Dataset | None = None) -> Material:
    """Of a Spec that names its own net and data, or of one that stands for what is handed over."""
    data = data or datasets.dataset(spec.data)
    return Material(spec, network or nets.build(spec.net, data.shape, data.classes), data)


def check_precision(network: AnyNetwork, precision: str | None) -> None:
    if precision == "bf16" and isinstance(network, nets.Modular):
        raise Refusal(
            "precision = bf16 is for nets of fc and conv: a module's own arithmetic is not ours to round; take fp32"
        )
