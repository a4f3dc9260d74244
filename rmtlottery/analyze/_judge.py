"""Is what a few nets measure a draw of what their redraws measure? Tests, intervals, and their correction for many.

Each seed is a block: one net, and R redraws that a theory is about. If the net is a draw as well, all R + 1 stray from
theory by the same law, taken as normal in the logarithm: the mean over S seeds of (net less mean of its redraws) has the
variance s^2/S (1 + 1/R), s^2 that of redraws about the mean of their block, and over its root it is a t of S (R - 1)
degrees of freedom. One seed is enough for that. The interval of the mean over seeds is no such test: its variance is s^2 or
that of the seeds, whichever is larger, over S, with its own degrees of freedom.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05


def judged(rows: "pd.DataFrame", cell: list[str]) -> "pd.DataFrame":
    """A row a `cell`: ratio, low, high, p, chance_ratio, seeds; of rows a seed: off (the log of measured over predicted),
    chance and scatter (mean and standard deviation of the same over `redraws`).
    """
    from scipy import stats

    held = sums(rows, cell)
    seeds, freedom = held["seeds"], held["freedom"]
    chance = held["squares"] / freedom
    own = held["between"] > chance
    variance, degrees = chance.where(~own, held["between"]), freedom.where(~own, seeds - 1)
    error = np.sqrt(chance * held["spread"]) / seeds
    reach = stats.t.isf(LEVEL / 2, degrees) * np.sqrt(variance / seeds)
    logs = {"ratio": held["off"], "low": held["off"] - reach, "high": held["off"] + reach, "chance_ratio": held["chance"]}
    p = 2 * stats.t.sf(np.abs(held["off"] - held["chance"]) / error, freedom)
    return held[["seeds"]].assign(p=p, **{name: np.exp(value) for name, value in logs.items()}).reset_index()


def sums(rows: "pd.DataFrame", cell: list[str]) -> "pd.DataFrame":
    """Over the seeds of each cell; `spread` is the sum of 1 + 1/R."""
    told = rows.assign(
        freedom=rows["redraws"] - 1,
        squares=(rows["redraws"] - 1) * rows["scatter"] ** 2,
        spread=1 + 1 / rows["redraws"],
        between=rows["off"],
    )
    how = {"off": "mean", "chance": "mean", "between": "var", "freedom": "sum", "squares": "sum", "spread": "sum"}
    held = told.groupby(cell, sort=False)
    return held.agg(how).assign(seeds=held.size())


def corrected(p: "pd.Series") -> "pd.Series":
    """For as many tests as there are, which depend on each other as they like [Benjamini 2001]: false discovery rate."""
    import pandas as pd
    from statsmodels.stats.multitest import multipletests

    return pd.Series(multipletests(p, LEVEL, method="fdr_by")[1], p.index)
