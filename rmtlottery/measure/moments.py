"""Sums over a layer's weights, of any precision and size, in float64 and in little memory beyond the layer's own."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

BLOCK = 2**22  # numbers that are held in float64 at a time


class Moments(NamedTuple):
    """Of the kept weights: how many, mean, central moments; of the layer: sums of squares of each row and column."""

    kept: int
    mean: float
    second: float
    third: float
    fourth: float
    rows: np.ndarray
    columns: np.ndarray
    fourth_powers: float

    @property
    def kurtosis(self) -> float:
        """3 for a Gaussian; NaN where all are equal."""
        return self.fourth / self.second**2 if self.second > 0 else np.nan

    @property
    def sarle(self) -> float:
        """(skewness^2 + 1) / kurtosis: 1/3 for a Gaussian, 5/9 for a uniform law, 1 for two values."""
        return (self.third**2 / self.second**3 + 1) / self.kurtosis if self.second > 0 else np.nan


def moments(weight: torch.Tensor, mask: torch.Tensor) -> Moments:
    """Of a layer that is 0 where it is masked, so that one pass over all its numbers will do, unless their mean is large."""
    kept, rows, columns, sums = int(mask.sum()), [], np.zeros(weight[0].numel()), np.zeros(3)
    for values, _ in blocks(weight, mask):
        squares = values.square()
        rows.append(squares.sum(1).numpy())
        columns += squares.sum(0).numpy()
        flat, flat_squares = values.reshape(-1), squares.reshape(-1)
        sums += [float(flat.sum()), float(flat @ flat_squares), float(flat_squares @ flat_squares)]
    by_row = np.concatenate(rows)
    first, second, third, fourth = (float(total) / max(kept, 1) for total in (sums[0], by_row.sum(), *sums[1:]))
    apart = first**2 > second / 2
    central = centred(weight, mask, first, kept) if apart else about_mean(first, second, third, fourth)
    return Moments(kept, first, *central, by_row, columns, float(sums[2]))


def blocks(weight: torch.Tensor, mask: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Some rows at a time, in float64, and their mask."""
    rows = max(1, BLOCK // weight[0].numel())
    for some, places in zip(weight.flatten(1).split(rows), mask.flatten(1).split(rows), strict=True):
        yield some.double(), places


def centred(weight: torch.Tensor, mask: torch.Tensor, mean: float, kept: int) -> tuple[float, float, float]:
    """Central moments 2 to 4 of the kept weights, in another pass; equal ones have none."""
    sums, reach = np.zeros(3), 0.0
    for values, places in blocks(weight, mask):
        apart = values[places] - mean
        squares = apart.square()
        sums += [float(squares.sum()), float(apart @ squares), float(squares @ squares)]
        reach = max(reach, float(apart.abs().max())) if len(apart) else reach
    if reach <= 4 * np.finfo(float).eps * abs(mean):
        return 0.0, 0.0, 0.0
    second, third, fourth = (sums / kept).tolist()
    return second, third, fourth


def about_mean(mean: float, square: float, cube: float, fourth: float) -> tuple[float, float, float]:
    """Central moments from raw ones, whose mean square is mostly spread."""
    third = cube - 3 * mean * square + 2 * mean**3
    return square - mean**2, third, fourth - 4 * mean * cube + 6 * mean**2 * square - 3 * mean**4
