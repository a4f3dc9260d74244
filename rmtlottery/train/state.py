"""`State`: all that changes while a level trains. What is saved here is what a resume needs, to the bit."""

from dataclasses import dataclass, field
from typing import Any

import torch

Rows = list[dict[str, Any]]


@dataclass
class State:
    """Every tensor has the seeds still training as its first axis; `began` are those the level began with.

    `coordinates`, the optimiser's `slot/...`, this epoch's `losses` (one a step) and `hits`, and `snapshot/STEP`.
    """

    level: int
    began: tuple[int, ...]
    seeds: list[int]
    step: int
    tensors: dict[str, torch.Tensor]
    rows: dict[int, Rows] = field(default_factory=dict)
    diverged: dict[int, int] = field(default_factory=dict)

    def group(self, prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): tensor for n, tensor in self.tensors.items() if n.startswith(prefix)}

    def keep(self, places: list[int]) -> None:
        """Go on with these places of the batch only."""
        self.seeds = [self.seeds[place] for place in places]
        self.tensors = {name: tensor[places] for name, tensor in self.tensors.items()}

    def facts(self) -> dict[str, Any]:
        """What is no tensor, as JSON can hold it."""
        return {name: value for name, value in vars(self).items() if name != "tensors"}

    @classmethod
    def restore(cls, facts: dict[str, Any], tensors: dict[str, torch.Tensor], device: str) -> "State":
        """The inverse of `facts`, after JSON has made text of the seeds that were keys."""
        numbered = {name: {int(seed): value for seed, value in facts[name].items()} for name in ("rows", "diverged")}
        moved = {name: tensor.to(device) for name, tensor in tensors.items()}
        plain = (facts["level"], tuple(facts["began"]), facts["seeds"], facts["step"])
        return cls(*plain, moved, numbered["rows"], numbered["diverged"])
