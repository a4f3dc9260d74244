"""MNIST (LeCun et al. 1998)."""

import torch

from rmtlottery.datasets.dataset import Dataset, Split, assemble
from rmtlottery.datasets.files import read
from rmtlottery.datasets.idx import idx
from rmtlottery.datasets.published import MNIST, Published
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Mnist

SIDE = 28
CLASSES = 10


def mnist(data: Mnist, published: Published = MNIST) -> Dataset:
    """Grey pictures of 28x28 bytes, ten classes."""
    learn, test = (split(published, part, size) for part, size in zip(("train", "t10k"), published.sizes, strict=True))
    return assemble(learn, test, shape=(1, SIDE, SIDE), classes=CLASSES, validation=data.validation)


def split(published: Published, part: str, size: int) -> Split:
    pictures, labels = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
    x = idx(read(published, pictures), (size, SIDE, SIDE), pictures)
    y = idx(read(published, labels), (size,), labels)
    if y.max() >= CLASSES:
        raise Refusal(f"{labels} holds the label {y.max()}, and the {CLASSES} classes end at {CLASSES - 1}; get it again")
    return Split(torch.tensor(x.reshape(size, SIDE * SIDE)), torch.tensor(y).long())
