"""Data with their order taken away: of pixels, of the names of classes, or of labels among samples."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rmtlottery.datasets.dataset import Dataset, Split
from rmtlottery.tickets.streams import generator

if TYPE_CHECKING:
    import torch

Order = Callable[..., "torch.Tensor"]


def shuffled(data: Dataset, what: str, which: int = 0) -> Dataset:
    """`pixels`: every picture by one permutation, the same in all splits: to a fully connected net the task is what it was.

    `classes`: all names of classes by one permutation: other answers to the same questions. `labels`: each split's labels in
    random order, so that nothing is left to learn but by heart. `which` of the permutations it is.
    """
    import torch

    if what == "nothing":
        return data
    turned = {"pixels": by_pixels, "classes": by_classes, "labels": by_labels}[what]

    def order(size: int, *purpose: str) -> torch.Tensor:
        return torch.from_numpy(generator(which, f"shuffled {what}", *(purpose or (size,))).permutation(size))

    train, validation, test = (turned(getattr(data, name), data, order, name) for name in ("train", "validation", "test"))
    words = f"{data.preprocessing}; {what} shuffled{f' ({which})' if which else ''}"
    return replace(data, train=train, validation=validation, test=test, preprocessing=words)


def by_pixels(split: Split, data: Dataset, order: Order, name: str) -> Split:
    return Split(split.x[:, order(split.x.shape[1])], split.y)


def by_classes(split: Split, data: Dataset, order: Order, name: str) -> Split:
    return Split(split.x, order(data.classes)[split.y])


def by_labels(split: Split, data: Dataset, order: Order, name: str) -> Split:
    return Split(split.x, split.y[order(len(split), name)])
