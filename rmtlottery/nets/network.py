"""`Network`: a finite network as a function of its weights."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from rmtlottery.tickets.ticket import Weights


@dataclass(frozen=True)
class Network:
    """Names and shapes of the parameters in the order of computation, and the map to pre-activations.

    `preactivations(weights, x)` gives h^1 .. h^L, the last one the logits. Weights and x may carry leading
    replicate axes; parameters of two or more axes are weights (out, in), the others are biases.
    """

    shapes: dict[str, tuple[int, ...]]
    preactivations: Callable[[Weights, torch.Tensor], list[torch.Tensor]]

    def logits(self, weights: Weights, x: torch.Tensor) -> torch.Tensor:
        return self.preactivations(weights, x)[-1]

    @property
    def prunable(self) -> list[str]:
        return [name for name, shape in self.shapes.items() if len(shape) > 1]
