"""`Ticket`: one seed at one level, all that an analysis may look at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.lazy import narrow
from rmtlottery.tickets.spec import Spec

if TYPE_CHECKING:
    import torch

Weights = dict[str, "torch.Tensor"]


@dataclass(frozen=True, eq=False)
class Ticket:
    """What was trained, from where, and under which mask. Tensors are read when they are first asked for.

    A foreign one, a checkpoint that nobody here trained, has no spec and no seed, and its weights and mask are read
    layer by layer, each time that one is asked for.

    `init` is theta_0, `start` the theta_k that this level began from (before its mask), `weights` theta_T with
    exact zeros outside `mask`. `mask` is True where a weight is kept and has no entry for biases.
    """

    spec: Spec | None
    seed: int | None
    level: int
    run: Path | None
    record: Mapping[str, Any] = field(repr=False)
    read: Mapping[str, Callable[[], Any]] = field(repr=False)

    def __repr__(self) -> str:
        run = repr(str(self.run)) if self.run else "no run"
        return f"Ticket({run}, seed {self.seed}, level {self.level}, density {self.density:.1%})"

    def part(self, name: str) -> Any:
        if name not in self.read:
            why = "a ticket that is narrowed to some layers" if self.spec else "a foreign checkpoint"
            raise Refusal(f"{self.run} has no {name} here: {why} has weights and a mask alone")
        return self.read[name]()

    def only(self, *layers: str) -> "Ticket":
        """The weights and masks of these and nothing else, read when asked for; the record is still of the whole."""
        return replace(self, read={part: narrow(self.read[part], layers) for part in ("weights", "mask")})

    @cached_property
    def init(self) -> Weights:
        return self.part("init")

    @cached_property
    def start(self) -> Weights:
        return self.part("start")

    @cached_property
    def weights(self) -> Weights:
        return self.part("weights")

    @cached_property
    def mask(self) -> Weights:
        return self.part("mask")

    @cached_property
    def snapshots(self) -> dict[int, Weights]:
        """step -> the weights after that step; step 0 is the very start of level 0."""
        return self.part("snapshots")

    @property
    def course(self) -> dict[int, Weights]:
        """The snapshots of the training that this ticket, or the one that controls made it of, came out of."""
        return self.read["course"]() if "course" in self.read else self.snapshots

    @property
    def trajectory(self) -> list[Weights]:
        """That training under the mask, from where the level began to where it ended."""
        if "trajectory" in self.read:
            return list(self.read["trajectory"]())
        steps = [step for step in sorted(self.snapshots) if step > self.record["start_step"]]
        after = [under(self.snapshots[step], self.mask) for step in steps]
        ended = bool(steps) and steps[-1] == self.record["metrics"][-1]["step"]
        return [self.rewound, *after, *([] if ended else [self.weights])]

    @cached_property
    def coordinates(self) -> "torch.Tensor":
        """What was trained, where the chart has fewer coordinates than weights."""
        return self.part("coordinates")

    @property
    def rewound(self) -> Weights:
        """theta_k under the mask: the ticket before it is trained, of level 0 too where k is not 0."""
        step = self.spec.prune.rewind if self.spec and self.level == 0 and not self.record.get("parent") else 0
        return under(self.snapshots[step] if step else self.start, self.mask)

    @property
    def states(self) -> dict[str, Weights]:
        """rewound, and trained where it was trained: a control's ticket is not. A foreign one is trained."""
        if self.spec is None:
            return {"trained": self.weights}
        trained = {"trained": self.weights} if self.record["metrics"] else {}
        return {"rewound": self.rewound} | trained

    @property
    def density(self) -> float:
        """Kept over all, of the weights that can be pruned."""
        return self.record["density"]

    @property
    def chart(self) -> dict[str, Any]:
        return dict(self.record["chart"])

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """One row an epoch."""
        return list(self.record["metrics"])

    @property
    def connectivity(self) -> list[dict[str, Any]]:
        """One row a layer."""
        return list(self.record["connectivity"])


def under(weights: Weights, mask: Weights) -> Weights:
    """The weights with exact zeros where a mask has none kept; what has no mask, as biases, is left as it is."""
    import torch

    return {name: torch.where(mask[name], value, 0.0) if name in mask else value for name, value in weights.items()}
