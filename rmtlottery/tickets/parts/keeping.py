"""What training may reach, and what is kept of it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from rmtlottery.tickets.fields import each_at_least
from rmtlottery.tickets.parts.part import Part


@dataclass(frozen=True)
class Chart(Part):
    """What training may reach: every weight and bias."""

    kind: ClassVar[str] = "full"


@dataclass(frozen=True)
class Record(Part):
    """What is kept besides the start and the end of each level."""

    kind: ClassVar[str] = "record"
    snapshots: Annotated[tuple[int, ...], "steps after which the weights are kept too", each_at_least(1)] = ()
