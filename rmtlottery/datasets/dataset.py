"""`Dataset`: the whole of a data set as tensors, standardised by its training part."""

from dataclasses import dataclass

import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator


@dataclass(frozen=True)
class Split:
    """Inputs (samples, features) and labels."""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: str) -> "Split":
        return Split(self.x.to(device), self.y.to(device))


@dataclass(frozen=True)
class Dataset:
    train: Split
    validation: Split
    test: Split
    classes: int
    preprocessing: str

    @property
    def inputs(self) -> int:
        return self.train.x.shape[1]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that hold anything, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if len(split)}

    def to(self, device: str) -> "Dataset":
        moved = (self.train.to(device), self.validation.to(device), self.test.to(device))
        return Dataset(*moved, self.classes, self.preprocessing)


def assemble(learn: Split, test: Split, classes: int, validation: float) -> Dataset:
    """Hold out the validation part (always the same samples) and standardise all by what is left to train on."""
    order = torch.from_numpy(generator(0, "validation", len(learn)).permutation(len(learn)))
    held = round(validation * len(learn))
    if held >= len(learn):
        raise Refusal(f"validation = {validation:g} leaves none of {len(learn)} samples to train on; lower it")
    mean, std = moments(learn.x[order[held:]])
    parts = [Split((x - mean) / std, y) for x, y in cut_in_two(learn, order, held)]
    words = f"inputs less {mean:.4g}, over {std:.4g}: one mean and one std, of the training part"
    return Dataset(parts[1], parts[0], Split((test.x - mean) / std, test.y), classes, words)


def cut_in_two(learn: Split, order: torch.Tensor, held: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(learn.x[index], learn.y[index]) for index in (order[:held], order[held:].sort().values)]


def moments(x: torch.Tensor) -> tuple[float, float]:
    """Mean and std over all samples and features; a std of 0 cannot standardise."""
    mean, std = x.double().mean().item(), x.double().std(correction=0).item()
    if not std > 0:
        raise Refusal(f"the training inputs are all {mean:g}: nothing to standardise by")
    return mean, std


def every_fifth(x: torch.Tensor, y: torch.Tensor) -> tuple[Split, Split]:
    """(learn, test): every fifth sample, the first among them, is kept for the test."""
    test = torch.arange(len(y)) % 5 == 0
    return Split(x[~test], y[~test]), Split(x[test], y[test])
