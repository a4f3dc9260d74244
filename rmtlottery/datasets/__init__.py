"""Data sets, whole, as tensors."""

from collections.abc import Callable
from functools import lru_cache

from rmtlottery.datasets.dataset import Dataset
from rmtlottery.datasets.digits import digits
from rmtlottery.datasets.teacher import teacher
from rmtlottery.tickets.parts import Data

KINDS: dict[str, Callable[..., Dataset]] = {"digits": digits, "teacher": teacher}


@lru_cache(maxsize=4)
def dataset(data: Data) -> Dataset:
    """The data set that a Spec's data describes, on the CPU."""
    return KINDS[data.kind](data)
