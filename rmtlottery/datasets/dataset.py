"""`Dataset`: the whole of a data set as tensors, standardised by its training part."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator

if TYPE_CHECKING:
    import torch

ROWS = 1024


@dataclass(frozen=True)
class Split:
    """Inputs (samples, features), pictures flattened, and labels."""

    x: "torch.Tensor"
    y: "torch.Tensor"

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: str) -> "Split":
        return Split(self.x.to(device), self.y.to(device))


@dataclass(frozen=True)
class Dataset:
    """`shape` is that of one input before it was flattened: (channels, height, width) of a picture."""

    train: Split
    validation: Split
    test: Split
    shape: tuple[int, ...]
    classes: int
    preprocessing: str

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that hold anything, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in named.items() if len(split)}

    def to(self, device: str) -> "Dataset":
        train, validation, test = (split.to(device) for split in (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)


def assemble(learn: Split, test: Split, shape: tuple[int, ...], classes: int, validation: float) -> Dataset:
    """Hold out the validation part (always the same samples) and standardise all by what is left to train on.

    Inputs may be bytes: pictures are a quarter as large until they are standardised, to float32.
    """
    held = round(validation * len(learn))
    if held >= len(learn):
        raise Refusal(f"validation = {validation:g} leaves none of {len(learn)} samples to train on; lower it")
    held_out, train = cut_in_two(learn, held)
    mean, std = moments(train.x)
    train, held_out, test = (Split(standardised(split.x, mean, std), split.y) for split in (train, held_out, test))
    words = f"inputs less {mean:.4g}, over {std:.4g}: one mean and one std, of the training part"
    return Dataset(train, held_out, test, shape, classes, words)


def cut_in_two(learn: Split, held: int) -> tuple[Split, Split]:
    """(held out, left to train on)."""
    import torch

    order = torch.from_numpy(generator(0, "validation", len(learn)).permutation(len(learn)))
    first, second = (Split(learn.x[index], learn.y[index]) for index in (order[:held], order[held:].sort().values))
    return first, second


def standardised(x: "torch.Tensor", mean: float, std: float) -> "torch.Tensor":
    """A few rows at a time, and never in place: `x` may be the caller's."""
    import torch

    out = torch.empty(x.shape, dtype=torch.float32)
    for rows, place in zip(x.split(ROWS), out.split(ROWS), strict=True):
        torch.sub(rows, mean, out=place).div_(std)
    return out


def moments(x: "torch.Tensor") -> tuple[float, float]:
    """Mean and std over all samples and features, in float64 a few rows at a time; a std of 0 cannot standardise."""
    mean = sum(rows.double().sum().item() for rows in x.split(ROWS)) / x.numel()
    std = (sum(rows.double().sub_(mean).square_().sum().item() for rows in x.split(ROWS)) / x.numel()) ** 0.5
    if not std > 0:
        raise Refusal(f"the training inputs are all {mean:g}: nothing to standardise by")
    return mean, std


def every_fifth(x: "torch.Tensor", y: "torch.Tensor") -> tuple[Split, Split]:
    """(learn, test): every fifth sample, the first among them, is kept for the test."""
    import torch

    test = torch.arange(len(y)) % 5 == 0
    return Split(x[~test], y[~test]), Split(x[test], y[test])
