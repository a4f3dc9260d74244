"""Where theta_0 comes from."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from rmtlottery.tickets.fields import at_least, at_most
from rmtlottery.tickets.parts.part import Part

Law = Literal["normal", "uniform"]


@dataclass(frozen=True)
class Init(Part):
    """Where theta_0 comes from."""


@dataclass(frozen=True)
class Normal(Init):
    """W ~ N(0, sigma_w^2 / fan_in), b ~ N(0, sigma_b^2): the bias is not divided by the width."""

    kind: ClassVar[str] = "normal"
    sigma_w: Annotated[float, "std of a weight times sqrt(fan_in)", at_least(0), at_most(300)] = 1.4
    sigma_b: Annotated[float, "std of a bias, undivided", at_least(0), at_most(300)] = 0.3


@dataclass(frozen=True)
class DividedBias(Normal):
    """W ~ N(0, sigma_w^2 / fan_in), b ~ N(0, sigma_b^2 / width): as one reads of it, and not the edge of chaos."""

    kind: ClassVar[str] = "divided_bias"
    sigma_b: Annotated[float, "std of a bias times sqrt(width)", at_least(0), at_most(300)] = 0.3


@dataclass(frozen=True)
class Orthogonal(Normal):
    """W = sigma_w Q, Q uniform with orthonormal rows, or columns times sqrt(out/in); b ~ N(0, sigma_b^2)."""

    kind: ClassVar[str] = "orthogonal"
    sigma_w: Annotated[float, "singular value of a weight with no more rows than columns", at_least(0), at_most(300)] = 1.4


@dataclass(frozen=True)
class DeltaOrthogonal(Orthogonal):
    """Convolutions are 0 but for an orthogonal matrix in the middle (Xiao et al. 2018); the rest is orthogonal."""

    kind: ClassVar[str] = "delta_orthogonal"


@dataclass(frozen=True)
class Glorot(Init):
    """Variance 2 / (fan_in + fan_out), biases 0 (Glorot and Bengio 2010)."""

    kind: ClassVar[str] = "glorot"
    law: Annotated[Law, "law of the weights"] = "normal"


@dataclass(frozen=True)
class He(Glorot):
    """Variance 2 / fan_in, biases 0 (He et al. 2015)."""

    kind: ClassVar[str] = "he"


@dataclass(frozen=True)
class Own(Init):
    """As a module initialises itself, by the `reset_parameters` of its parts."""

    kind: ClassVar[str] = "own"


@dataclass(frozen=True)
class Passed(Init):
    """The weights that a module has when it is passed as `net=`, the same for every seed."""

    kind: ClassVar[str] = "passed"
