"""Where accuracy first is what is asked, as the number of coordinates grows."""

from math import inf
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 2000
NEAR = 4.0  # dimensions within this factor of the crossing are what a logistic curve is laid through


def crossing(rows: "pd.DataFrame", threshold: float) -> float:
    """d at which the best non-decreasing curve through mean accuracies, straight between them in log d, gets there.

    0 if all are there, infinity if none is. Means count as much as seeds they are of.
    """
    dims, means = curve(rows)
    there = np.flatnonzero(means >= threshold)
    if not len(there):
        return inf
    first = there[0]
    if first == 0:
        return 0.0
    low, high = means[first - 1], means[first]
    share = (threshold - low) / (high - low)
    return float(np.exp(np.log(dims[first - 1]) + share * np.log(dims[first] / dims[first - 1])))


def curve(rows: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray]:
    """Each d, and the isotonic fit of mean accuracy there."""
    held = rows.groupby("dim")["accuracy"].agg(["mean", "size"])
    fit = isotonic_regression(held["mean"].to_numpy(), weights=held["size"].to_numpy().astype(float))
    return held.index.to_numpy().astype(float), fit.x


def logistic(rows: "pd.DataFrame", threshold: float) -> float:
    """The same by a logistic curve in log d through the points near the crossing; no number where there are under three."""
    near = crossing(rows, threshold)
    part = rows[rows["dim"].between(near / NEAR, near * NEAR) & rows["accuracy"].between(0, 1, "neither")]
    if part["dim"].nunique() < 3:
        return float("nan")
    slope, height = np.polyfit(np.log(part["dim"]), np.log(part["accuracy"] / (1 - part["accuracy"])), 1)
    return float(np.exp((np.log(threshold / (1 - threshold)) - height) / slope)) if slope > 0 else float("nan")


def interval(rows: "pd.DataFrame", threshold: float) -> tuple[float, float]:
    """95 % by bootstrap: whole seeds are drawn again, each with all its sizes. One seed has none.

    Sizes that not every seed has are kept as they are.
    """
    seeds = rows["seed"].unique()
    if len(seeds) < 2:
        return crossing(rows, threshold), crossing(rows, threshold)
    whole = rows.groupby("dim")["seed"].transform("nunique") == len(seeds)
    by_seed = rows[whole].pivot_table(index="dim", columns="seed", values="accuracy")
    if by_seed.empty:
        return 0.0, inf
    stream = np.random.default_rng(0)
    picks = np.unique(np.sort(stream.integers(len(seeds), size=(RESAMPLES, len(seeds))), 1), axis=0, return_counts=True)
    found = [crossing(redrawn(by_seed, pick, rows[~whole]), threshold) for pick in picks[0]]
    low, high = np.quantile(np.repeat(found, picks[1]), (0.025, 0.975), method="inverted_cdf")
    return float(low), float(high)


def redrawn(by_seed: "pd.DataFrame", pick: np.ndarray, rest: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    drawn = by_seed.iloc[:, pick].T.melt(var_name="dim", value_name="accuracy")
    return pd.concat([drawn, rest[["dim", "accuracy"]]])
