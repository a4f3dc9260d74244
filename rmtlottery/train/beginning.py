"""Where a level begins: under the mask that a cut of the level before leaves, or from a ticket that was given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from rmtlottery.prune.cut import Tensors, cut_layers, cut_together, in_rounds
from rmtlottery.prune.rates import rates
from rmtlottery.tickets.parts import AtInit
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.starts import given, recall
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket, Weights, under
from rmtlottery.train.evidence import Scene, scores, some
from rmtlottery.train.material import Material

TOGETHER = "all layers"


@dataclass(frozen=True)
class Beginning:
    """theta_k of one seed before its mask, the mask, and what it descends from: its parent's SHA-256, and controls."""

    start: Weights
    mask: Weights
    descent: dict[str, Any]


class Cuts:
    """Levels that descend from each other by cuts."""

    def __init__(self, run: Run, material: Material) -> None:
        self.run, self.material, self.prune = run, material, run.spec.prune

    def reached(self, seed: int, level: int) -> bool:
        """No earlier level of the seed ended without a ticket."""
        return all(self.run.status(seed, earlier) == "done" for earlier in range(level))

    def begin(self, seed: int, level: int) -> Beginning:
        if level == 0:
            theta = self.material.theta(seed)
            whole = {name: torch.ones_like(theta[name], dtype=torch.bool) for name in self.material.network.prunable}
            return Beginning(theta, whole, {"parent": None})
        parent, start = self.run[seed, level - 1], self.run[seed, 0].snapshots[self.prune.rewind]
        scored = (start, start) if isinstance(self.prune, AtInit) else (parent.weights, parent.start)
        return Beginning(start, self.smaller(parent, *scored), {"parent": self.run.fingerprint(seed, level - 1)})

    def smaller(self, parent: Ticket, weights: Weights, start: Weights) -> Tensors:
        """The parent's mask less what scores lowest, in as many rounds of scoring as the Spec asks for."""
        mask, rate_of = parent.mask, rates(self.prune, list(parent.mask))
        ranked = [name for name in mask if rate_of[name]]
        for gone in self.rounds(mask, rate_of):
            scores = self.scores(parent, weights, start, mask)
            if self.prune.scope == "layer":
                mask = cut_layers(scores, mask, gone)
            elif ranked:
                mask = cut_together(scores, mask, ranked, gone[TOGETHER])
        return mask

    def rounds(self, mask: Tensors, rate_of: dict[str, float]) -> Iterator[dict[str, int]]:
        """How many weights each layer, or all together, loses in each round."""
        held = {name: int(mask[name].sum()) for name, rate in rate_of.items() if rate}
        if self.prune.scope == "global":
            held, rate_of = {TOGETHER: sum(held.values())}, {TOGETHER: max(rate_of.values())}
        number = self.prune.rounds if isinstance(self.prune, AtInit) else 1
        courses = {name: [size, *in_rounds(size, rate_of[name], number)] for name, size in held.items()}
        for turn in range(number):
            yield {name: course[turn] - course[turn + 1] for name, course in courses.items()}

    def scores(self, parent: Ticket, weights: Weights, start: Weights, mask: Tensors) -> Tensors:
        """The criterion's, of the weights under the mask."""
        assert parent.seed is not None
        number, numbers = getattr(self.prune, "scored", 0), generator(parent.seed, "scored samples")
        samples = some(self.material.data.train, number, numbers)
        held = (self.material.network, self.material.linear, under(weights, mask), start, mask, samples)
        return scores(self.prune.criterion, Scene(*held, parent.seed, parent.level, self.run.spec.optimiser.loss))


class FromTickets:
    """Levels that begin where tickets that were given say."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def reached(self, seed: int, level: int) -> bool:
        return given(self.run.path, seed, level)

    def begin(self, seed: int, level: int) -> Beginning:
        return Beginning(*recall(self.run.path, seed, level))
