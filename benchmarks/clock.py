"""Timing in pairs: ours and the other in turn, so that a machine that drifts slows both."""

import statistics
import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def pairs(ours: Callable[[], object], other: Callable[[], object], runs: int = 5) -> dict[str, float]:
    """Medians of both, and the median, least and largest of the ratio other / ours, after one run of each uncounted."""
    ours(), other()
    times = [(seconds(ours), seconds(other)) for _ in range(runs)]
    ratios = sorted(b / a for a, b in times)
    return {
        "ours_s": statistics.median(a for a, _ in times),
        "other_s": statistics.median(b for _, b in times),
        "ratio": statistics.median(ratios),
        "ratio_least": ratios[0],
        "ratio_largest": ratios[-1],
    }
