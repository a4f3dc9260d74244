"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), in the pickles in which they are published."""

from typing import Any

import numpy as np
import torch

from rmtlottery.datasets.dataset import Dataset, Split, assemble
from rmtlottery.datasets.files import read
from rmtlottery.datasets.inert import Call, Name, inert
from rmtlottery.datasets.published import CIFAR10, CIFAR100, Published
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Cifar10, Cifar100

SHAPE = (3, 32, 32)
PIXELS = 3072


def cifar10(data: Cifar10, published: Published = CIFAR10) -> Dataset:
    """Colour pictures of 32x32 bytes: all of red, then green, then blue."""
    return made(published, b"labels", 10, data.validation)


def cifar100(data: Cifar100, published: Published = CIFAR100) -> Dataset:
    """The same with the hundred fine labels."""
    return made(published, b"fine_labels", 100, data.validation)


def made(published: Published, labels: bytes, classes: int, validation: float) -> Dataset:
    *names, last = published.files
    learn, test = (joined(published, part, labels, classes) for part in (names, [last]))
    sizes = len(learn), len(test)
    if sizes != published.sizes:
        raise Refusal(f"{published.name} holds {sizes} pictures where {published.sizes} are published; get it again")
    return assemble(learn, test, shape=SHAPE, classes=classes, validation=validation)


def joined(published: Published, names: list[str], labels: bytes, classes: int) -> Split:
    parts = [batch(read(published, name), labels, classes, name) for name in names]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Split(torch.from_numpy(x), torch.from_numpy(y))


def batch(content: bytes, key: bytes, classes: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(pictures, labels): (samples, 3072) bytes that are a view of `content`, and whole numbers below `classes`."""
    held = inert(content, where)
    if not isinstance(held, dict) or not {b"data", key} <= held.keys():
        raise Refusal(f"{where} is no CIFAR batch: it does not hold data and {key.decode()}; get it again")
    x, y = pictures(held[b"data"], where), held[key]
    if not isinstance(y, list) or not all(type(label) is int and 0 <= label < classes for label in y):
        raise Refusal(f"{where} holds {key.decode()} that are no list of whole numbers below {classes}; get it again")
    if len(y) != len(x):
        raise Refusal(f"{where} holds {len(x)} pictures and {len(y)} labels; get it again")
    return x, np.array(y, np.int64)


def pictures(held: Any, where: str) -> np.ndarray:
    """What `numpy.core.multiarray._reconstruct` would make of exactly what the published files ask of it."""
    match held:
        case Call(
            name="numpy.core.multiarray _reconstruct",
            arguments=(Name("numpy ndarray"), (0,), b"b"),
            state=(
                1,
                (int(rows), int(columns)),
                Call(arguments=(b"u1", 0, 1)) as kind,
                False,
                bytes() | memoryview() as pixels,
            ),
        ) if kind.name == "numpy dtype" and columns == PIXELS and len(pixels) == rows * columns:
            return np.frombuffer(pixels, np.uint8).reshape(rows, columns)
    raise Refusal(f"{where} holds data that are no array of bytes with {PIXELS} columns; get it again")
