"""What is cut, how much of it, and when."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from rmtlottery.tickets.fields import at_least, fraction, rates_by_pattern
from rmtlottery.tickets.parts.part import Part

Scope = Literal["layer", "global"]
Trained = Literal[
    "magnitude", "large_final", "large_final_same_sign", "magnitude_increase", "movement", "large_init", "random"
]
Untrained = Literal["snip", "grasp", "synflow", "alignment", "magnitude", "random"]


@dataclass(frozen=True)
class Prune(Part):
    """Iterative pruning with rewinding: each level removes a part of the *remaining* weights, never a bias."""

    kind: ClassVar[str] = "imp"
    levels: Annotated[int, "cuts; level 0 is dense and the last level is trained too", at_least(0)] = 15
    rate: Annotated[float, "part of the remaining weights that a cut removes", fraction()] = 0.2
    last_rate: Annotated[float, "the same for the last layer", fraction()] = 0.1
    layer_rates: Annotated[str, "the same for layers by pattern, e.g. conv*=0.1,fc1=0.15", rates_by_pattern] = ""
    scope: Annotated[Scope, "what is ranked: each layer by itself, or all whose rate is not 0"] = "layer"
    criterion: Annotated[Trained, "which weights go first"] = "magnitude"
    rewind: Annotated[int, "step of level 0 whose weights every later level starts from", at_least(0)] = 0


@dataclass(frozen=True)
class AtInit(Prune):
    """Pruning before training: weights are scored where a level starts, each level from the mask of the one before."""

    kind: ClassVar[str] = "at_init"
    criterion: Annotated[Untrained, "which weights go first"] = "snip"  # type: ignore[assignment]
    rounds: Annotated[int, "rounds of scoring and cutting within a cut; SynFlow wants 100", at_least(1)] = 1
    scored: Annotated[int, "training samples that gradients of the score are averaged over", at_least(1)] = 1000
