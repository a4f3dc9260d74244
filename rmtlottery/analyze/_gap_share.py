"""How much of a gap is recovered: a ratio of two means over the same seeds, with Fieller's interval."""

from typing import NamedTuple

import numpy as np

GAP, NO_GAP, BEHIND, UNKNOWN = "gap", "no gap", "imp behind", "unknown"


class Share(NamedTuple):
    """(arm - base) / (imp - base), its 95 % interval, and what the gap is; NaN where there is no gap to share."""

    share: float
    share_low: float
    share_high: float
    gap: str


def share(arm: np.ndarray, imp: np.ndarray, base: np.ndarray) -> Share:
    """Accuracies of the same seeds, in the same order. Rounded, or a gap of 0 would be what float64 leaves of it.

    Of one seed, or of several with one and the same lead, there is no interval.
    """
    lead = (imp - base).round(12)
    if len(lead) < 2 or (lead.any() and not np.ptp(lead)):
        return Share(np.nan, np.nan, np.nan, UNKNOWN)
    ends = fieller((arm - base).round(12), lead)
    if np.isnan(ends[0]):
        return Share(*ends, NO_GAP)
    return Share(*ends, GAP) if lead.mean() > 0 else Share(np.nan, np.nan, np.nan, BEHIND)


def fieller(part: np.ndarray, whole: np.ndarray, confidence: float = 0.95) -> tuple[float, float, float]:
    """mean(part) / mean(whole) and every ratio r at which the mean of part - r whole is not told apart from 0 by t.

    Exact for Gaussian pairs however they are correlated, with two seeds too, where a bootstrap of so few covers less than it
    says. It is an interval only where t tells `whole` apart from 0 [Fieller 1954]; NaN otherwise.
    """
    from scipy.stats import t

    top, bottom = np.mean(part), np.mean(whole)
    wide = np.cov(part, whole) / len(part) * t.ppf((1 + confidence) / 2, len(part) - 1) ** 2
    square, cross, rest = bottom**2 - wide[1, 1], top * bottom - wide[0, 1], top**2 - wide[0, 0]
    if square <= 0:
        return np.nan, np.nan, np.nan
    half = np.sqrt(max(cross**2 - square * rest, 0.0))
    return float(top / bottom), float((cross - half) / square), float((cross + half) / square)
