"""Moments of a layer's weights, of any precision and size, in float64 and in little memory beyond the layer's own."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

BLOCK = 2**22  # numbers that are held in float64 at a time


class Moments(NamedTuple):
    """Of the kept weights: how many, their mean, and their central moments over that number."""

    kept: int
    mean: float
    second: float
    third: float
    fourth: float

    @property
    def kurtosis(self) -> float:
        """3 for a Gaussian; NaN where all are equal."""
        return self.fourth / self.second**2 if self.second > 0 else np.nan

    @property
    def sarle(self) -> float:
        """(skewness^2 + 1) / kurtosis: 1/3 for a Gaussian, 5/9 for a uniform law, 1 for two values."""
        return (self.third**2 / self.second**3 + 1) / self.kurtosis if self.second > 0 else np.nan


def kept_moments(weight: torch.Tensor, mask: torch.Tensor) -> Moments:
    """In float64, some rows at a time."""
    kept = int(mask.sum())
    if not kept:
        return Moments(0, *[np.nan] * 4)
    mean = sum(float(values.sum()) for values in kept_blocks(weight, mask)) / kept
    sums = np.zeros(3)
    for values in kept_blocks(weight, mask):
        square = values.sub_(mean).square()
        sums += [float(square.sum()), float((square * values).sum()), float(square.square_().sum())]
    return Moments(kept, mean, *(sums / kept).tolist())


def kept_blocks(weight: torch.Tensor, mask: torch.Tensor) -> Iterator[torch.Tensor]:
    rows = max(1, BLOCK // weight[0].numel())
    for some, places in zip(weight.flatten(1).split(rows), mask.flatten(1).split(rows), strict=True):
        yield some.double()[places] if any(places.stride()) else some.to(torch.float64, copy=True)


def square_sums(weight: torch.Tensor) -> tuple[np.ndarray, np.ndarray, float]:
    """Sums of squares of each row and of each column, and the sum of all fourth powers, in float64, some rows at a time."""
    rows, columns, fourth = [], np.zeros(weight[0].numel()), 0.0
    for some in weight.flatten(1).split(max(1, BLOCK // weight[0].numel())):
        squares = some.double().square()
        rows.append(squares.sum(1).numpy())
        columns += squares.sum(0).numpy()
        fourth += float(squares.square_().sum())
    return np.concatenate(rows), columns, fourth
