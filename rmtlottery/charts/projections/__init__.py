"""Random maps from few coordinates to all weights: `projection(kind, ambient, dim, seed)`."""

from rmtlottery.charts.projections.axes import Axes
from rmtlottery.charts.projections.countsketch import CountSketch
from rmtlottery.charts.projections.dense import Dense, Orthonormal
from rmtlottery.charts.projections.fastfood import BlockFastfood, Fastfood
from rmtlottery.charts.projections.fastjl import FastJL, GargiuloFastJL
from rmtlottery.charts.projections.projection import Projection
from rmtlottery.charts.projections.sparse import Sparse
from rmtlottery.refusal import Refusal, unknown

EVERY: tuple[type[Projection], ...] = (
    Dense,
    Orthonormal,
    Sparse,
    CountSketch,
    Fastfood,
    BlockFastfood,
    FastJL,
    GargiuloFastJL,
    Axes,
)
KINDS = {each.kind: each for each in EVERY}

__all__ = ["KINDS", "Projection", "projection"]


def projection(kind: str, ambient: int, dim: int, seed: int) -> Projection:
    """P of `ambient` rows and `dim` columns: `.apply(theta)` gives P theta, `.adjoint(g)` P^T g."""
    if kind not in KINDS:
        raise unknown("projection", str(kind), KINDS)
    if int(dim) != dim or int(seed) != seed:
        raise Refusal(f"d = {dim} and seed = {seed} are to be whole numbers")
    if not 1 <= dim <= ambient:
        raise Refusal(f"d = {dim} coordinates are not between 1 and the {ambient} weights that they are to move")
    return KINDS[kind](int(ambient), int(dim), int(seed))
