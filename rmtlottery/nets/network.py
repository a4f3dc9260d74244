"""`Network`: a finite network as a function of its weights."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from rmtlottery.tickets.ticket import Weights

AT_ONCE = {"cpu": 2**22, "cuda": 2**27}  # numbers of the widest layer that an evaluation holds: on a CPU, what caches do
Map = Callable[[torch.Tensor], torch.Tensor]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Layer:
    """h = W x + b. `prepare` makes x of what `phi` left of the layer before; `mixes` if it does more than reshape it."""

    name: str
    shape: tuple[int, ...]
    linear: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    prepare: Map
    bias: bool = True
    mixes: bool = False

    def shapes(self) -> Shapes:
        biases = {f"{self.name}.bias": self.shape[:1]} if self.bias else {}
        return {f"{self.name}.weight": self.shape} | biases

    def __call__(self, weights: Weights, x: torch.Tensor) -> torch.Tensor:
        h = self.linear(weights[f"{self.name}.weight"], x)
        return h + spread(weights[f"{self.name}.bias"], len(self.shape)) if self.bias else h


def portion(widest: int, device: str = "cpu") -> int:
    """How many samples are evaluated at a time, by the numbers that one makes of a layer at most."""
    return max(16, min(2048, AT_ONCE[device] // widest))


def spread(bias: torch.Tensor, axes: int) -> torch.Tensor:
    """(..., out) as it stands beside the samples of a layer whose weight has so many axes."""
    return bias[(..., None, slice(None), *[None] * (axes - 2))]


@dataclass(frozen=True)
class Network:
    """A chain of layers with `phi` between them.

    `preactivations(weights, x)` gives h^1 .. h^L, the last one the logits. Weights and x may carry one leading
    replicate axis; parameters of two or more axes are weights (out, in, ...), the others are biases.
    """

    layers: tuple[Layer, ...]
    phi: Map
    widest: int  # numbers that a sample makes of a layer at most
    buffers: Weights = field(default_factory=dict)

    @property
    def shapes(self) -> Shapes:
        """The parameters, in the order of computation."""
        return {name: shape for layer in self.layers for name, shape in layer.shapes().items()}

    @property
    def prunable(self) -> list[str]:
        return [f"{layer.name}.weight" for layer in self.layers]

    def signals(self, weights: Weights, x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """(x, h) of every layer: what it is given and what it makes of it."""
        found: list[tuple[torch.Tensor, torch.Tensor]] = []
        for layer in self.layers:
            x = layer.prepare(self.phi(found[-1][1]) if found else x)
            found.append((x, layer(weights, x)))
        return found

    def preactivations(self, weights: Weights, x: torch.Tensor) -> list[torch.Tensor]:
        return [h for _, h in self.signals(weights, x)]

    def logits(self, weights: Weights, x: torch.Tensor) -> torch.Tensor:
        for place, layer in enumerate(self.layers):
            x = layer(weights, layer.prepare(self.phi(x) if place else x))
        return x

    def learn(
        self, weights: Weights, buffers: Weights, x: torch.Tensor, key: Callable[[int], int]
    ) -> tuple[torch.Tensor, Weights]:
        """The logits while training, and the buffers after it: here there are none, and nothing is random."""
        return self.logits(weights, x), buffers
