"""Arms against the iterated ticket and a base of the same task that keep as many weights, seed by seed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._arms import ITERATED
from rmtlottery.analyze._best_rate import best_rates
from rmtlottery.analyze._gap_share import share
from rmtlottery.analyze._matched import matched
from rmtlottery.analyze._style import interval, share_interval

if TYPE_CHECKING:
    import pandas as pd

BASES = ("shuffle_mask", "random_mask")


def compared(table: "pd.DataFrame") -> "pd.DataFrame":
    """A row an arm, from many weights to few, of the test split: its accuracy, what it is to imp and the base, its share.

    Differences are means over the seeds that both have, with 95 % t-intervals. `p` is of the one-sided paired t-test that an
    arm is better than the base, `p_holm` after Holm's correction over all that are tested; imp, which makes the gap, is not.
    Several draws of a control at one rate are averaged within their seed.
    """
    import pandas as pd

    rows = shared(table)
    if rows.empty:
        return rows
    tests = best_rates(rows).query("split == 'test'").sort_values(["task", "kept"], ascending=[True, False])
    parts = [part for _, part in tests.groupby(["task", "kept"], sort=False)]
    return corrected(pd.DataFrame([facts(part, arm) for part in parts for arm in sorted(set(part["arm"]))]))


def shared(table: "pd.DataFrame") -> "pd.DataFrame":
    """What can be compared, with `kept`, and with `base`: two arms, the base among them if the task has it, and cut."""
    rows = matched(table)
    rows["base"] = rows.groupby("task")["arm"].transform(base_of)
    return rows.groupby(["task", "kept"]).filter(comparable)


def base_of(arms: "pd.Series") -> str:
    """The arm whose masks know how many weights each layer keeps, or failing that the net, and nothing else; or ""."""
    there = set(arms)
    return next((name for name in BASES if name in there), "")


def comparable(part: "pd.DataFrame") -> bool:
    arms, base = set(part["arm"]), part["base"].iloc[0]
    return len(arms) > 1 and (not base or base in arms) and bool(part["density"].min() < 1)


def facts(part: "pd.DataFrame", arm: str) -> dict[str, Any]:
    """Of one arm, with the others that keep as many weights beside it."""
    import pandas as pd

    scores = part.pivot_table("accuracy", "seed", "arm")
    mine, base, nothing = part[part["arm"] == arm], part["base"].iloc[0], pd.Series(np.nan, scores.index)
    own, imp, ground = scores[arm], scores.get(ITERATED, nothing), scores.get(base, nothing)
    first = mine.iloc[0]
    held = first[["task", "kept", "base", "arm", "lr", "judge", "rates"]].to_dict() | {"density": mine["density"].mean()}
    held |= {"seeds": int(own.count())} | summary("accuracy", own.dropna(), share_interval)
    held |= summary("to_imp", difference(own, imp)) | summary("to_base", difference(own, ground))
    whole = pd.DataFrame({"own": own, "imp": imp, "ground": ground}).dropna()
    candidate = arm not in (ITERATED, base)
    held |= share(*whole.to_numpy().T)._asdict()
    return held | {"p": better(difference(own, ground)) if candidate else np.nan}


def difference(ours: "pd.Series", theirs: "pd.Series") -> "pd.Series":
    """Seed by seed; rounded, or equal differences of accuracies would differ by what float64 leaves of them."""
    return (ours - theirs).dropna().round(12)


def summary(name: str, values: "pd.Series", ends: Any = interval) -> dict[str, float]:
    """Mean and interval; there is none of one seed, nor of several that do not differ."""
    low, high = ends(values) if values.nunique() > 1 else (np.nan, np.nan)
    return {name: values.mean(), f"{name}_low": low, f"{name}_high": high}


def better(gain: "pd.Series") -> float:
    """One-sided p of a mean above 0; NaN where seeds do not differ, so that there is no scale to judge by."""
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(gain, 0, alternative="greater").pvalue) if gain.nunique() > 1 else np.nan


def corrected(rows: "pd.DataFrame") -> "pd.DataFrame":
    """`p_holm` beside `p`, over all that were tested."""
    from statsmodels.stats.multitest import multipletests

    held, tested = rows.assign(p_holm=np.nan), rows["p"].notna()
    if tested.any():
        held.loc[tested, "p_holm"] = multipletests(rows.loc[tested, "p"], method="holm")[1]
    return held
