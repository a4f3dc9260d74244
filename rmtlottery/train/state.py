"""`State`: all that changes while a level trains. What is saved here is what a resume needs, to the bit."""

from dataclasses import dataclass, field
from typing import Any

import torch

Rows = list[dict[str, Any]]


@dataclass
class State:
    """Every tensor has the seeds as its first axis, in order; a seed in `diverged` has stopped and holds zeros.

    `coordinates`, the optimiser's `slot/...`, a module's `buffer/...`, this epoch's `losses` (one a step) and `hits`, and
    `snapshot/STEP/...`.
    """

    level: int
    seeds: list[int]
    step: int
    tensors: dict[str, torch.Tensor]
    rows: dict[int, Rows] = field(default_factory=dict)
    diverged: dict[int, int] = field(default_factory=dict)

    @property
    def training(self) -> list[int]:
        """The seeds that go on."""
        return [seed for seed in self.seeds if seed not in self.diverged]

    @property
    def stopped(self) -> list[int]:
        """The places along the first axis of those that do not."""
        return [place for place, seed in enumerate(self.seeds) if seed in self.diverged]

    def group(self, prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): tensor for n, tensor in self.tensors.items() if n.startswith(prefix)}

    def facts(self) -> dict[str, Any]:
        """What is no tensor, as JSON can hold it."""
        return {name: value for name, value in vars(self).items() if name != "tensors"}

    @classmethod
    def restore(cls, facts: dict[str, Any], tensors: dict[str, torch.Tensor], device: str) -> "State":
        """The inverse of `facts`, after JSON has made text of the seeds that were keys."""
        rows, diverged = ({int(seed): value for seed, value in facts[name].items()} for name in ("rows", "diverged"))
        moved = {name: tensor.to(device, copy=True) for name, tensor in tensors.items()}
        return cls(facts["level"], facts["seeds"], facts["step"], moved, rows, diverged)
