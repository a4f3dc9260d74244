"""Which P a Spec's chart draws for a seed."""

from rmtlottery.charts.flat import Shapes, layers, total
from rmtlottery.charts.projections import Projection, projection
from rmtlottery.charts.projections.beside import Beside
from rmtlottery.tickets import parts


def projection_of(part: parts.Affine, shapes: Shapes, seed: int) -> Projection:
    """P of a seed. Disjoint columns of one orthonormal family, beside each other, are the family."""
    weights = total(shapes)
    if not isinstance(part, parts.Sum) or part.projection == "orthonormal":
        return projection(part.projection, weights, part.dim - factors(part, shapes), key(seed, part.draw))
    sizes = [part.dim // part.subnets + (place < part.dim % part.subnets) for place in range(part.subnets)]
    return Beside([projection(part.projection, weights, d, key(seed, part.draw + k)) for k, d in enumerate(sizes)])


def key(seed: int, which: int) -> int:
    """The seed of a P: that of the run, or beyond all of those."""
    return seed + (which << 64)


def factors(part: parts.Chart, shapes: Shapes) -> int:
    """How many of the coordinates are factors of layers."""
    return len(layers(shapes)) if part.kind == "said" else 0
