"""Arms against the iterated ticket and a base, seed by seed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._arms import ITERATED
from rmtlottery.analyze._best_rate import best_rates
from rmtlottery.analyze._gap_share import share
from rmtlottery.analyze._style import interval, share_interval

if TYPE_CHECKING:
    import pandas as pd

BASES = ("shuffle_mask", "random_mask")


def compared(table: "pd.DataFrame") -> "pd.DataFrame":
    """One row for each level and arm, of the test split: its accuracy, what it is to imp and to the base, and its share.

    Differences are means over the seeds that both have, with 95 % t-intervals. `p` is of the one-sided paired t-test that an
    arm is better than the base, `p_holm` after Holm's correction over arms and levels; imp, which makes the gap, is not
    tested. Several draws of a control at one rate are averaged within their seed.
    """
    import pandas as pd

    rows = shared(table)
    if rows.empty:
        return rows
    tests = best_rates(rows).query("split == 'test'")
    base = base_of(tests)
    parts = [part for _, part in tests.groupby("level")]
    return corrected(pd.DataFrame([facts(part, arm, base) for part in parts for arm in sorted(set(part["arm"]))]))


def base_of(table: "pd.DataFrame") -> str:
    """The arm whose masks know how many weights each layer keeps, or failing that the net, and nothing else; or ""."""
    arms = set(table["arm"])
    return next((name for name in BASES if name in arms), "")


def shared(table: "pd.DataFrame") -> "pd.DataFrame":
    """The levels that have two arms, the base too if any level has it, and at which weights are cut."""
    base = base_of(table)

    def told(level: "pd.DataFrame") -> bool:
        arms = set(level["arm"])
        return len(arms) > 1 and (not base or base in arms) and level["density"].min() < 1

    return table.groupby("level").filter(told)


def facts(part: "pd.DataFrame", arm: str, base: str) -> dict[str, Any]:
    """Of one arm at one level, with the others of that level beside it."""
    import pandas as pd

    scores = part.pivot_table("accuracy", "seed", "arm")
    mine, nothing = part[part["arm"] == arm], pd.Series(np.nan, scores.index)
    own, imp, ground = scores[arm], scores.get(ITERATED, nothing), scores.get(base, nothing)
    first = mine.iloc[0]
    held = {name: first[name] for name in ("level", "arm", "lr", "judge")} | {"density": mine["density"].mean()}
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
    """Mean and interval; one seed has none."""
    low, high = ends(values) if len(values) > 1 else (np.nan, np.nan)
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
