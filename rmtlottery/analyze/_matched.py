"""Tickets that keep as many weights, at whatever level of whatever run they do."""

from typing import TYPE_CHECKING

import numpy as np

from rmtlottery.analyze._arms import ITERATED, NO_RULE, RESIZED

if TYPE_CHECKING:
    import pandas as pd

SAME = 0.05  # numbers of weights that differ by less are compared
ALIKE = 0.01  # those of iterated tickets that differ by less are called one: no cut is as small


def matched(table: "pd.DataFrame") -> "pd.DataFrame":
    """With `kept`: of each task the number of weights of an iterated ticket, or of any where nothing was iterated.

    What keeps another number is left out.
    """
    import pandas as pd

    return pd.concat([of_task(part) for _, part in told_apart(table).groupby("task")])


def told_apart(table: "pd.DataFrame") -> "pd.DataFrame":
    """Where a task has nets of several sizes, or masks iterated by several rules, each is a task of its own.

    Nets that a control made smaller, and masks that no rule found, stay in the task as it was: whose they are is unknown.
    """
    for column, known in (("net", ~table["arm"].str.contains(RESIZED)), ("rule", table["rule"] != NO_RULE)):
        several = table[column].where(known).groupby(table["task"]).transform("nunique") > 1
        table = table.assign(task=table["task"].mask(known & several, table["task"] + ", " + table[column]))
    return table


def of_task(part: "pd.DataFrame") -> "pd.DataFrame":
    iterated = part["arm"] == ITERATED
    sizes = np.array(distinct(part.loc[iterated, "weights"], ALIKE) or distinct(part["weights"], SAME))
    off = np.abs(part["weights"].to_numpy()[:, None] / sizes - 1)
    return part.assign(kept=sizes[off.argmin(1)])[off.min(1) < SAME]


def distinct(weights: "pd.Series", alike: float) -> list[int]:
    """From the largest down, each at least so much smaller than the one before."""
    found: list[int] = []
    for number in sorted(set(weights), reverse=True):
        if not found or number <= found[-1] * (1 - alike):
            found.append(number)
    return found
