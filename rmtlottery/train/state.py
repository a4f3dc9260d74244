"""`State`: all that changes while a level trains. What is saved here is what a resume needs, to the bit."""

from dataclasses import dataclass, field
from typing import Any

import torch

Rows = list[dict[str, Any]]


@dataclass
class State:
    """Every tensor has the replicates as its first axis, in order, and `rows` a list for each. `seeds` are theirs, and may
    repeat. One whose place is in `diverged` has stopped at that step and holds zeros.

    `coordinates`, the optimiser's `slot/...`, a module's `buffer/...`, this epoch's `losses` (one a step) and `hits`, and
    `snapshot/STEP/...`.
    """

    level: int
    seeds: list[int]
    step: int
    tensors: dict[str, torch.Tensor]
    rows: list[Rows] = field(default_factory=list)
    diverged: dict[int, int] = field(default_factory=dict)

    @property
    def training(self) -> list[int]:
        """The places along the first axis of those that go on."""
        return [place for place in range(len(self.seeds)) if place not in self.diverged]

    def group(self, prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): tensor for n, tensor in self.tensors.items() if n.startswith(prefix)}

    def facts(self) -> dict[str, Any]:
        """What is no tensor, as JSON can hold it."""
        return {name: value for name, value in vars(self).items() if name != "tensors"}

    @classmethod
    def restore(cls, facts: dict[str, Any], tensors: dict[str, torch.Tensor], device: str) -> "State":
        """The inverse of `facts`, after JSON has made text of the places that were keys."""
        diverged = {int(place): step for place, step in facts["diverged"].items()}
        moved = {name: tensor.to(device, copy=True) for name, tensor in tensors.items()}
        return cls(facts["level"], facts["seeds"], facts["step"], moved, facts["rows"], diverged)
