"""The parts of a Spec: frozen groups of fields, one class a kind.

A field's annotation carries its help text and its bounds. A new field's default must be the former behaviour,
because a spec.json written before it does not name it.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from rmtlottery.tickets.fields import above, accept, at_least, at_most, declared, each_at_least, fraction, shown, some

Phi = Literal["tanh", "erf", "relu"]
Target = Literal["weights", "coordinates"]


@dataclass(frozen=True)
class Part:
    """One group of a Spec's fields. Subclasses are groups, their subclasses the kinds."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for field in declared(type(self)).values():
            object.__setattr__(self, field.name, accept(field, getattr(self, field.name)))

    def __str__(self) -> str:
        """The kind and every field, as a reader wants them."""
        fields = ", ".join(f"{name} {shown(getattr(self, name)) or 'none'}" for name in declared(type(self)))
        return f"{self.kind}: {fields}" if fields else self.kind

    def to_dict(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in declared(type(self))}
        return {"kind": self.kind} | {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


@dataclass(frozen=True)
class Net(Part):
    """What is computed."""

    phi: Annotated[Phi, "activation: tanh, erf or relu"] = "tanh"


@dataclass(frozen=True)
class FC(Net):
    """A fully connected net: inputs -> widths -> classes, `phi` after every hidden layer."""

    kind: ClassVar[str] = "fc"
    widths: Annotated[tuple[int, ...], "hidden widths, e.g. 8x256 or 300,100", some, each_at_least(1)] = (256,) * 8


@dataclass(frozen=True)
class Data(Part):
    """What is learnt."""

    validation: Annotated[float, "part of the training set held out for validation", fraction()] = 0.1


@dataclass(frozen=True)
class Digits(Data):
    """The bundled 8x8 handwritten digits: 1797 pictures, every fifth one kept for the test."""

    kind: ClassVar[str] = "digits"


@dataclass(frozen=True)
class Teacher(Data):
    """Gaussian inputs labelled by a fixed random tanh net with one hidden layer of 64."""

    kind: ClassVar[str] = "teacher"
    inputs: Annotated[int, "length of a teacher's input", at_least(1)] = 64
    classes: Annotated[int, "classes a teacher tells apart", at_least(2)] = 10
    samples: Annotated[int, "samples a teacher labels, every fifth one for the test", at_least(10)] = 4000
    teacher_seed: Annotated[int, "which teacher", at_least(0)] = 0


@dataclass(frozen=True)
class Init(Part):
    """Where theta_0 comes from."""

    sigma_w: Annotated[float, "std of a weight times sqrt(fan_in)", at_least(0), at_most(300)] = 1.4
    sigma_b: Annotated[float, "std of a bias, undivided", at_least(0), at_most(300)] = 0.3


@dataclass(frozen=True)
class Normal(Init):
    """W ~ N(0, sigma_w^2 / fan_in), b ~ N(0, sigma_b^2): the bias is not divided by the width."""

    kind: ClassVar[str] = "normal"


@dataclass(frozen=True)
class Optimiser(Part):
    """How coordinates move. Decay is the L2 term: decay/2 |.|^2 of its target is added to the loss, biases included."""

    lr: Annotated[float, "peak learning rate", above(0), at_most(1e30)] = 1e-3
    decay: Annotated[float, "L2 weight decay", at_least(0)] = 0.0
    decay_target: Annotated[Target, "what decays: weights or coordinates"] = "weights"


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


@dataclass(frozen=True)
class Prune(Part):
    """Iterative pruning with rewinding: each level removes a part of each layer's *remaining* weights, never a bias."""

    kind: ClassVar[str] = "imp"
    levels: Annotated[int, "cuts; level 0 is dense and the last level is trained too", at_least(0)] = 15
    rate: Annotated[float, "part of the remaining weights that a cut removes", fraction()] = 0.2
    last_rate: Annotated[float, "the same for the last layer", fraction()] = 0.1
    criterion: Annotated[Literal["magnitude"], "which weights go first"] = "magnitude"
    rewind: Annotated[int, "step of level 0 whose weights every later level starts from", at_least(0)] = 0


@dataclass(frozen=True)
class Chart(Part):
    """What training may reach: every weight and bias."""

    kind: ClassVar[str] = "full"


@dataclass(frozen=True)
class Record(Part):
    """What is kept besides the start and the end of each level."""

    kind: ClassVar[str] = "record"
    snapshots: Annotated[tuple[int, ...], "steps after which the weights are kept too", each_at_least(1)] = ()
