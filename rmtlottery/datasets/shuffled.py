"""Data with their order taken away: of pixels, or of labels among samples."""

from collections.abc import Callable
from dataclasses import replace

from rmtlottery.datasets.dataset import Dataset, Split
from rmtlottery.tickets.streams import generator


def shuffled(data: Dataset, what: str) -> Dataset:
    """`pixels`: every picture by one permutation, the same in all splits: to a fully connected net the task is what it was.

    `labels`: each split's labels in random order, so that nothing is left to learn but by heart.
    """
    if what == "nothing":
        return data
    turned: dict[str, Callable[[Split, str], Split]] = {"pixels": by_pixels, "labels": by_labels}
    train, validation, test = (turned[what](getattr(data, name), name) for name in ("train", "validation", "test"))
    words = f"{data.preprocessing}; {what} shuffled"
    return replace(data, train=train, validation=validation, test=test, preprocessing=words)


def by_pixels(split: Split, name: str) -> Split:
    import torch

    order = torch.from_numpy(generator(0, "shuffled pixels", split.x.shape[1]).permutation(split.x.shape[1]))
    return Split(split.x[:, order], split.y)


def by_labels(split: Split, name: str) -> Split:
    import torch

    return Split(split.x, split.y[torch.from_numpy(generator(0, "shuffled labels", name).permutation(len(split)))])
