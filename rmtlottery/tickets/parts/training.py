"""What is minimised, how coordinates move for it, how long, and in what portions."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from rmtlottery.tickets.fields import above, at_least, at_most, each_at_least, fraction
from rmtlottery.tickets.parts.part import Part

Target = Literal["weights", "coordinates"]
Loss = Literal["cross_entropy", "squared"]


@dataclass(frozen=True)
class Optimiser(Part):
    """What is minimised, and how. Decay is the L2 term: decay/2 |.|^2 of its target is added to it, biases included."""

    loss: Annotated[Loss, "what is minimised; squared: 1/2 |logits - e_y|^2, e_y 1 at the right class, else 0"] = (
        "cross_entropy"
    )
    lr: Annotated[float, "peak learning rate", above(0), at_most(1e30)] = 1e-3
    decay: Annotated[float, "L2 weight decay", at_least(0)] = 0.0
    decay_target: Annotated[Target, "what decays"] = "weights"


@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (Kingma and Ba 2015)."""

    kind: ClassVar[str] = "adam"
    beta1: Annotated[float, "memory of the mean gradient", fraction()] = 0.9
    beta2: Annotated[float, "memory of the squared gradient", fraction()] = 0.999
    eps: Annotated[float, "added to the root of the squared gradient", above(0)] = 1e-8


@dataclass(frozen=True)
class SGD(Optimiser):
    """Gradient descent with momentum."""

    kind: ClassVar[str] = "sgd"
    lr: Annotated[float, "peak learning rate", above(0), at_most(1e30)] = 0.05
    momentum: Annotated[float, "part of the last step that is kept", fraction()] = 0.9
    nesterov: Annotated[bool, "look ahead along the momentum"] = False


@dataclass(frozen=True)
class Schedule(Part):
    """How long, in what portions, and how the learning rate goes."""

    epochs: Annotated[int, "passes over the training set, each level", at_least(1)] = 50
    batch: Annotated[int, "samples a step", at_least(1)] = 128
    warmup: Annotated[int, "steps over which the learning rate rises linearly", at_least(0)] = 0


@dataclass(frozen=True)
class Constant(Schedule):
    """The peak learning rate throughout."""

    kind: ClassVar[str] = "constant"


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from the peak down to nothing."""

    kind: ClassVar[str] = "cosine"


@dataclass(frozen=True)
class Steps(Schedule):
    """The learning rate is multiplied by `factor` at the start of each milestone epoch (the first epoch is 0)."""

    kind: ClassVar[str] = "steps"
    milestones: Annotated[tuple[int, ...], "epochs at whose start the learning rate drops", each_at_least(1)] = (25,)
    factor: Annotated[float, "what it is multiplied by there", above(0)] = 0.1
