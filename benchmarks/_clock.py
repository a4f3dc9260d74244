"""Timing in pairs: ours and the other in turn, so that a machine that drifts slows both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]
Row = dict[str, float | str]


@dataclass(frozen=True)
class Limit:
    """What the machine cannot do faster: a short word, and how to measure the seconds that it needs at least."""

    name: str
    seconds: Callable[[], float]


def seconds(work: Work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def pairs(case: str, ours: Work, other: Work, runs: int = 5, limit: Limit | None = None) -> Row:
    """Medians of both, and the median, least and largest of the ratio other / ours, after one run of each uncounted.

    The limit is measured before each pair and after the last; `fraction` is its median over that of ours.
    """
    ours(), other()
    times, least = [], []
    for _ in range(runs):
        least.append(limit.seconds() if limit else 0.0)
        times.append((seconds(ours), seconds(other)))
    mine = statistics.median(a for a, _ in times)
    ratios = sorted(b / a for a, b in times)
    row: Row = {
        "case": case,
        "ours_s": mine,
        "other_s": statistics.median(b for _, b in times),
        "ratio": statistics.median(ratios),
        "ratio_least": ratios[0],
        "ratio_largest": ratios[-1],
        "pairs": runs,
    }
    if limit:
        limit_s = statistics.median([*least, limit.seconds()])
        row |= {"limit": limit.name, "limit_s": limit_s, "fraction": limit_s / mine}
    return row


def alone(case: str, ours: Work, runs: int = 5) -> Row:
    """The median of ours, after one run uncounted, where there is nothing to compare it with."""
    ours()
    return {"case": case, "ours_s": statistics.median(seconds(ours) for _ in range(runs))}
