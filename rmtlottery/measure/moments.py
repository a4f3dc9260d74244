"""Sums over a layer's weights, of any precision and size, in float64 and in little memory beyond the layer's own."""

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


def moments(weight: torch.Tensor, kept: int) -> Moments:
    """Of a layer that is 0 where it is masked, and has so many weights that are not."""
    matrix = weight.flatten(1)
    rows, columns, sums = [], np.zeros(matrix.shape[1]), np.zeros(3)
    for some in matrix.split(max(1, BLOCK // matrix.shape[1])):
        values = some.double()
        squares = values.square()
        rows.append(squares.sum(1).numpy())
        columns += squares.sum(0).numpy()
        flat, flat_squares = values.reshape(-1), squares.reshape(-1)
        sums += [float(flat.sum()), float(flat @ flat_squares), float(flat_squares @ flat_squares)]
    by_row = np.concatenate(rows)
    central = about_mean(np.array([sums[0], by_row.sum(), *sums[1:]]) / max(kept, 1))
    return Moments(kept, *central, by_row, columns, float(sums[2]))


def about_mean(raw: np.ndarray) -> tuple[float, float, float, float]:
    """Mean and central moments 2 to 4; a second moment that rounding alone leaves is 0."""
    mean, square, cube, fourth = raw.tolist()
    second = square - mean**2
    if second <= np.finfo(float).eps * 8 * square:
        return mean, 0.0, 0.0, 0.0
    third = cube - 3 * mean * square + 2 * mean**3
    return mean, second, third, fourth - 4 * mean * cube + 6 * mean**2 * square - 3 * mean**4
