"""Where a level starts."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from rmtlottery.tickets.fields import each_at_least
from rmtlottery.tickets.parts.part import Part


@dataclass(frozen=True)
class Origin(Part):
    """Where a level starts: from theta_0 (or theta_k) under the mask that the cuts of this run leave."""

    kind: ClassVar[str] = "cuts"


@dataclass(frozen=True)
class Taken(Origin):
    """From tickets that were given, one for each seed and level, which the run keeps a copy of."""

    kind: ClassVar[str] = "taken"
    at: Annotated[tuple[int, ...], "levels that are trained", each_at_least(0)] = ()
    control: Annotated[str, "the controls that made the tickets, in order"] = ""
    control_seeds: Annotated[tuple[int, ...], "the seed each of them was given", each_at_least(0)] = ()
    parent: Annotated[str, "mark of the Spec that the tickets were trained by"] = ""
