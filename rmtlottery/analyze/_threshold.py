"""Where accuracy first is what is asked, as the number of coordinates grows."""

from math import inf
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from rmtlottery.analyze import _style

if TYPE_CHECKING:
    import pandas as pd

NEAR = 4.0  # sizes within this factor of the crossing are what a logistic curve is laid through


def balanced(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The sizes that every seed has, if there are any: one that a few seeds have tells of these seeds, too."""
    whole = rows[rows.groupby("dim")["seed"].transform("nunique") == rows["seed"].nunique()]
    return rows if whole.empty else whole


def crossing(rows: "pd.DataFrame", threshold: float) -> float:
    """d at which the best non-decreasing curve through mean accuracies, straight between them in log d, gets there.

    0 if all are there, infinity if none is.
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
    """Each d, and the isotonic fit of mean accuracy there; means count as much as seeds they are of."""
    held = balanced(rows).groupby("dim")["accuracy"].agg(["mean", "size"])
    fit = isotonic_regression(held["mean"].to_numpy(), weights=held["size"].to_numpy().astype(float))
    return held.index.to_numpy().astype(float), fit.x


def logistic(rows: "pd.DataFrame", threshold: float) -> float:
    """The same by a logistic curve in log d through the points near the crossing; no number where there are under three."""
    near, held = crossing(rows, threshold), balanced(rows)
    part = held[held["dim"].between(near / NEAR, near * NEAR) & held["accuracy"].between(0, 1, "neither")]
    if part["dim"].nunique() < 3:
        return float("nan")
    slope, height = np.polyfit(np.log(part["dim"]), np.log(part["accuracy"] / (1 - part["accuracy"])), 1)
    return float(np.exp((np.log(threshold / (1 - threshold)) - height) / slope)) if slope > 0 else float("nan")


def interval(rows: "pd.DataFrame") -> tuple[float, float]:
    """95 %: the t-interval, in log d, of where each seed crosses its own `threshold`; open where one does not.

    No percentile bootstrap: of three seeds that is no more than the range of their means, and far too narrow.
    """
    import pandas as pd

    found = [crossing(part, part["threshold"].iloc[0]) for _, part in balanced(rows).groupby("seed")]
    if len(found) < 2 or not all(0 < value < inf for value in found):
        return 0.0, inf
    low, high = _style.interval(pd.Series(np.log(found)))
    return float(np.exp(low)), float(np.exp(high))
