"""Intrinsic dimensions that others have published."""

from typing import NamedTuple

LI, GARGIULO, WITH_FASTJL = "Li et al. 2018", "Gargiulo 2023", "Gargiulo 2023 by FastJL"
SAME = 0.011  # thresholds of .45 and .46 are compared


class Known(NamedTuple):
    """`local`: the threshold is that share of the same net's direct accuracy. Li: by Fastfood. Gargiulo: best test epoch of
    one seed, dense or Fastfood."""

    data: str
    weights: int
    threshold: float
    local: bool
    who: str
    dim: int


PUBLISHED = (
    Known("mnist", 199_210, 0.90, False, LI, 750),
    Known("mnist", 44_426, 0.90, False, LI, 290),
    Known("mnist", 286_334, 0.90, False, LI, 600),
    Known("mnist", 3_640_574, 0.90, False, LI, 2000),
    Known("mnist", 193_370, 0.90, False, LI, 425),
    Known("mnist", 199_210, 0.90, True, LI, 525),
    Known("mnist", 44_426, 0.90, True, LI, 275),
    Known("mnist", 286_334, 0.90, True, LI, 450),
    Known("mnist", 3_640_574, 0.90, True, LI, 1400),
    Known("mnist", 193_370, 0.90, True, LI, 400),
    Known("mnist pixels shuffled", 199_210, 0.90, False, LI, 750),
    Known("mnist pixels shuffled", 44_426, 0.90, False, LI, 1400),
    Known("cifar10", 1_393_610, 0.45, False, LI, 7000),
    Known("cifar10", 62_006, 0.45, False, LI, 1000),
    Known("cifar10", 658_238, 0.45, False, LI, 2750),
    Known("cifar10", 16_397_726, 0.45, False, LI, 35000),
    Known("cifar10", 297_734, 0.45, False, LI, 2500),
    Known("cifar10", 62_006, 0.90, True, LI, 2900),
    Known("mnist", 199_210, 0.90, False, GARGIULO, 600),
    Known("mnist", 44_426, 0.90, False, GARGIULO, 170),
    Known("mnist", 286_334, 0.90, False, GARGIULO, 350),
    Known("mnist", 3_640_574, 0.90, False, GARGIULO, 900),
    Known("mnist", 193_370, 0.90, False, GARGIULO, 400),
    Known("cifar10", 1_051_930, 0.46, False, GARGIULO, 5000),
    Known("cifar10", 1_051_930, 0.46, False, WITH_FASTJL, 4000),
    Known("cifar10", 62_006, 0.46, False, GARGIULO, 600),
    Known("cifar10", 62_006, 0.46, False, WITH_FASTJL, 1250),
    Known("cifar10", 292_954, 0.46, False, GARGIULO, 1000),
)


def published(data: str, weights: int, threshold: float, local: bool) -> str:
    """Author and number, of each that there is for this net at this threshold or beside it, which is then said."""
    same = [known for known in PUBLISHED if (known.data, known.weights, known.local) == (data, weights, local)]
    near = [known for known in same if abs(known.threshold - threshold) < SAME]
    where = [f" at {known.threshold:.0%}" if known.threshold != threshold else "" for known in near]
    return ", ".join(f"{known.who} {known.dim}{there}" for known, there in zip(near, where, strict=True))
