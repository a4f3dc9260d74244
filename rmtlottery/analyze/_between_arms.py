"""Accuracy of arms against what their nets do to signals before training, at equal density.

A row of the regression is an arm at a level, the mean of its seeds: a seed's inits are shared between arms. Levels have
intercepts, since density moves everything at once; arms are the clusters. Arms are chosen and not drawn: the intervals are
about other arms like these.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._regression import effects, explained, foretold, inflation, spread_within, within

if TYPE_CHECKING:
    import pandas as pd

PREDICTORS = {
    "q": "log10 q",
    "chi": "log10 chi",
    "jacobian_mean": "log10 Jacobian mean",
    "jacobian_spread": "log10 Jacobian spread",
    "gradient": "log10 gradient ratio",
}
JOINT = ("q", "chi", "jacobian_mean", "jacobian_spread")
ALONE, TOGETHER = "alone", "together"
ENOUGH = 4  # arms; two more than predictors where there are several
STILL = 1e-9  # a standard deviation that is rounding


def logs(part: "pd.DataFrame") -> "pd.DataFrame":
    """Predictors in log10, accuracy in points; a net that lets nothing through has no logarithm and is left out."""
    kept = part[(part[[*PREDICTORS]] > 0).all(axis=1) & np.isfinite(part[[*PREDICTORS]]).all(axis=1)]
    return kept.assign(points=100 * kept["accuracy"], **{name: np.log10(kept[name]) for name in PREDICTORS})


def means(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Over seeds, of the levels that have several arms, or of all where none has."""
    found = rows.groupby(["level", "arm"], as_index=False)[["density", "points", *PREDICTORS]].mean()
    several = found.groupby("level")["arm"].transform("size") > 1
    return found[several] if several.any() else found


def regressed(found: "pd.DataFrame") -> "pd.DataFrame":
    """Columns: predictor, model (alone, together), slope in points per standard deviation at equal density, low, high,
    freedom, inflation, and of the model explained and foretold. No rows where arms are too few."""
    import pandas as pd

    arms, moving = found["arm"].nunique(), [name for name in PREDICTORS if moves(found, name)]
    joint = [name for name in JOINT if name in moving]
    models = [(ALONE, [name]) for name in moving if arms >= ENOUGH]
    models += [(TOGETHER, joint)] if arms >= max(ENOUGH, len(joint) + 2) and independent(found, joint) else []
    return pd.DataFrame([row for model, names in models for row in rows_of(found, model, names)])


def moves(found: "pd.DataFrame", name: str) -> bool:
    return bool(spread_within(found[[name]].to_numpy(), found["level"].to_numpy())[0] > STILL)


def independent(found: "pd.DataFrame", names: list[str]) -> bool:
    """Whether several predictors, beside the levels, leave their slopes to be told."""
    rows = len(found) - found["level"].nunique()
    return 1 < len(names) < rows and bool(np.linalg.matrix_rank(standard(found, names)) == len(names))


def standard(found: "pd.DataFrame", names: list[str]) -> np.ndarray:
    """Less the level's mean, over the standard deviation of that."""
    values, levels = found[names].to_numpy(), found["level"].to_numpy()
    return within(values, levels) / spread_within(values, levels)


def rows_of(found: "pd.DataFrame", model: str, names: list[str]) -> list[dict[str, Any]]:
    x, y = standard(found, names), found["points"].to_numpy()
    levels, arms = found["level"].to_numpy(), found["arm"].to_numpy(dtype=str)
    whole: dict[str, Any] = {"explained": explained(x, y, levels), "foretold": foretold(x, y, levels, arms)}
    told = zip(names, effects(x, y, levels, arms), inflation(x, levels), strict=True)
    return [{"predictor": n, "model": model} | e._asdict() | {"inflation": wider} | whole for n, e, wider in told]
