"""What training may reach, and what is kept of it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from rmtlottery.tickets.fields import at_least, each_at_least
from rmtlottery.tickets.parts.part import Part

Projection = Literal[
    "dense", "orthonormal", "sparse", "countsketch", "fastfood", "fastfood_block", "fastjl", "fastjl_gargiulo", "axes"
]


@dataclass(frozen=True)
class Chart(Part):
    """What training may reach: every weight and bias."""

    kind: ClassVar[str] = "full"


@dataclass(frozen=True)
class Few(Chart):
    """theta_0 + P x: fewer coordinates than weights."""

    dim: Annotated[int, "coordinates that are trained", at_least(1)] = 100


@dataclass(frozen=True)
class Principal(Few):
    """theta + P x along the principal directions of the training that a ticket comes from (Larsen et al. 2022)."""

    kind: ClassVar[str] = "principal"


@dataclass(frozen=True)
class Affine(Few):
    """theta_0 + P x: random directions through theta_0, weights and biases alike (Li et al. 2018)."""

    kind: ClassVar[str] = "affine"
    projection: Annotated[Projection, "law of P; its seed is the run's"] = "fastfood"
    draw: Annotated[int, "which P of a seed, for several subnets in one weight vector", at_least(0)] = 0


@dataclass(frozen=True)
class Said(Affine):
    """theta_0 + lambda_l (P x)_l, lambda_l a factor for each layer, trained too and counted (Aghajanyan et al. 2020)."""

    kind: ClassVar[str] = "said"


@dataclass(frozen=True)
class Sum(Affine):
    """theta_0 + A_1 x_1 + A_2 x_2 + ...: disjoint columns of one P if it is orthonormal, else a P each."""

    kind: ClassVar[str] = "sum"
    subnets: Annotated[int, "subnets that share the coordinates evenly", at_least(1)] = 2


@dataclass(frozen=True)
class Record(Part):
    """What is kept besides the start and the end of each level."""

    kind: ClassVar[str] = "record"
    snapshots: Annotated[tuple[int, ...], "steps after which the weights are kept too", each_at_least(1)] = ()
