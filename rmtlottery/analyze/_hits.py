"""How often a loss is reached, and with how many coordinates half of all seeds reach it."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 400
RIDGE = 1e-2  # of the slope in log d, so that sizes that tell all apart leave it finite
STEPS, LONGEST = 100, 2.0  # of Newton's method, and how far one goes at most
Found = tuple[float, float, float]


def hits(rows: "pd.DataFrame", loss: float) -> "pd.DataFrame":
    """A row a size: seeds that reach the loss, seeds in all, their share and its 95 % Wilson interval."""
    from statsmodels.stats.proportion import proportion_confint

    reached = (rows["loss"] <= loss).groupby(rows["dim"]).agg(["sum", "size"])
    low, high = proportion_confint(reached["sum"], reached["size"], method="wilson")
    return reached.assign(share=reached["sum"] / reached["size"], low=low, high=high).reset_index()


def threshold(rows: "pd.DataFrame", loss: float) -> Found:
    """d at which half of the seeds reach the loss, by a logistic curve in log d, and its 95 % interval.

    (0, 0, 0) if all of them do at every size, infinite if none does at any. The interval is the standard error over
    resampled seeds times Student's quantile, since percentiles of few seeds are too narrow, and no narrower than from the
    last size at which fewer than half do to the first at which half do. It is open where a resample has no threshold.
    """
    grid = rows.assign(hit=(rows["loss"] <= loss).astype(float)).pivot_table(index="seed", columns="dim", values="hit")
    dims, table = grid.columns.to_numpy(float), grid.to_numpy(float)
    numbers = np.random.default_rng(0)
    picked = numbers.integers(len(table), size=(RESAMPLES, len(table)))
    value, *resampled = half(dims, np.concatenate([table[None], table[picked]]))
    if not 0 < value < np.inf:
        return value, value, value
    between = bracket(dims, np.nanmean(table, 0))
    if len(table) < 2 or not all(0 < one < np.inf for one in resampled):
        return value, 0.0, np.inf
    wide = student.ppf(0.975, len(table) - 1) * np.std(np.log(resampled)) * (len(table) / (len(table) - 1)) ** 0.5
    return value, min(value * np.exp(-wide), between[0]), max(value * np.exp(wide), between[1])


def bracket(dims: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """The sizes on either side of where half of the seeds first hit."""
    first = int(np.argmax(shares >= 0.5)) if (shares >= 0.5).any() else len(dims) - 1
    return float(dims[max(first - 1, 0)]), float(dims[first])


def half(dims: np.ndarray, tables: np.ndarray) -> list[float]:
    """Where a logistic curve in log d through the shares of hits is 1/2, for each table (seeds, sizes); NaN is no try.

    0 where all tries hit, infinite where none does, NaN where hits do not grow with d.
    """
    tries, counts = np.isfinite(tables).sum(1), np.nansum(tables, 1)
    x = np.log(dims) - np.log(dims).mean()
    height, rise = logistic(x, counts, tries)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        middle = np.where(rise > 0, np.exp(np.log(dims).mean() - height / rise), np.nan)
    nothing, everything = ~counts.any(1), (counts == tries).all(1)
    return [float(one) for one in np.where(nothing, np.inf, np.where(everything, 0.0, middle))]


def logistic(x: np.ndarray, counts: np.ndarray, tries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height and rise of each row's curve, the least of its deviance and the ridge by damped Newton steps."""
    height, rise = np.zeros((2, len(counts)))
    for _ in range(STEPS):
        share = expit(height[:, None] + rise[:, None] * x)
        rest, bend = tries * share - counts, tries * share * (1 - share)
        slope = np.stack([rest.sum(1) + RIDGE * 1e-2 * height, rest @ x + RIDGE * rise])
        a, b, c = bend.sum(1) + RIDGE * 1e-2, bend @ x, bend @ x**2 + RIDGE
        step = np.stack([c * slope[0] - b * slope[1], a * slope[1] - b * slope[0]]) / (a * c - b * b)
        step *= np.minimum(1, LONGEST / np.maximum(np.linalg.norm(step, axis=0), 1e-300))
        height, rise = height - step[0], rise - step[1]
    return height, rise
