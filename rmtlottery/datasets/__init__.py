"""Data sets, whole, as tensors."""

from functools import lru_cache
from importlib import import_module

from rmtlottery.datasets.dataset import Dataset
from rmtlottery.datasets.scaled import scaled
from rmtlottery.datasets.shuffled import shuffled
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Data

# Module and function, imported when asked for: the command of this room must print its help without torch.
KINDS = {
    "digits": "digits.digits",
    "teacher": "teacher.teacher",
    "recall": "recall.recall",
    "text": "text.text",
    "mnist": "mnist.mnist",
    "cifar10": "cifar.cifar10",
    "cifar100": "cifar.cifar100",
    "given": "given.recalled",
}


@lru_cache(maxsize=4)
def dataset(data: Data) -> Dataset:
    """The data set that a Spec's data describes, on the CPU."""
    module, _, function = KINDS[data.kind].partition(".")
    made: Dataset = getattr(import_module(f"rmtlottery.datasets.{module}"), function)(data)
    return as_told(made, data)


def as_told(made: Dataset, data: Data) -> Dataset:
    """Scaled and shuffled as this part of a Spec says."""
    if data.shuffling and data.shuffled == "nothing":
        raise Refusal(f"shuffling = {data.shuffling} says which permutation, and shuffled = nothing has none")
    return shuffled(scaled(made, data.scale), data.shuffled, data.shuffling)
