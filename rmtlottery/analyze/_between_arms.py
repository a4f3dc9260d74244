"""Accuracy of arms against what their nets do to signals before training, at equal density.

A row of the regression is an arm at a density, the mean of its seeds: a seed's inits are shared between arms. Densities have
intercepts, since density moves everything at once; masks are the clusters, since arms that change the values under one mask
have much in common. Masks are chosen and not drawn: the intervals are about others like these.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._arms import mask_of
from rmtlottery.analyze._best_rate import best_rates
from rmtlottery.analyze._matched import matched
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
ENOUGH = 4  # masks; two more than predictors where there are several
STILL = 1e-9  # a standard deviation that is rounding


def logs(part: "pd.DataFrame") -> "pd.DataFrame":
    """Each arm at its best rate, with `kept`, predictors in log10, points; what lets nothing through is left out."""
    rows = best_rates(matched(part))
    rows = rows[passes(rows)]
    return rows.assign(points=100 * rows["accuracy"], **{name: np.log10(rows[name]) for name in PREDICTORS})


def passes(rows: "pd.DataFrame") -> "pd.Series":
    """Whether all predictors have a logarithm."""
    return (rows[[*PREDICTORS]] > 0).all(axis=1) & np.isfinite(rows[[*PREDICTORS]]).all(axis=1)


def balanced(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Those of seeds that all arms of a density have."""
    arms = rows.groupby("kept")["arm"].transform("nunique")
    return rows[rows.groupby(["kept", "seed"])["arm"].transform("nunique") == arms]


def means(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Over the `seeds` that all arms of a density have, each the mean of its draws.

    Of densities that have several arms, or of all where none has.
    """
    by_seed = balanced(rows).groupby(["kept", "arm", "seed"], as_index=False)[["density", "points", *PREDICTORS]].mean()
    by_arm = by_seed.groupby(["kept", "arm"])
    found = by_arm.mean().drop(columns="seed").assign(seeds=by_arm.size()).reset_index()
    several = found.groupby("kept")["arm"].transform("size") > 1
    return found[several] if several.any() else found


def regressed(found: "pd.DataFrame") -> "pd.DataFrame":
    """Columns: predictor, model (alone, together), slope in points per standard deviation at equal density, low, high,
    freedom, inflation, and of the model explained and foretold. No rows where masks are too few."""
    import pandas as pd

    masks, moving = found["arm"].map(mask_of).nunique(), [name for name in PREDICTORS if moves(found, name)]
    joint = [name for name in JOINT if name in moving]
    models = [(ALONE, [name]) for name in moving if masks >= ENOUGH]
    models += [(TOGETHER, joint)] if masks >= max(ENOUGH, len(joint) + 2) and independent(found, joint) else []
    return pd.DataFrame([row for model, names in models for row in rows_of(found, model, names)])


def moves(found: "pd.DataFrame", name: str) -> bool:
    return bool(spread_within(found[[name]].to_numpy(), found["kept"].to_numpy())[0] > STILL)


def independent(found: "pd.DataFrame", names: list[str]) -> bool:
    """Whether several predictors, beside the densities, leave their slopes to be told."""
    rows = len(found) - found["kept"].nunique()
    return 1 < len(names) < rows and bool(np.linalg.matrix_rank(standard(found, names)) == len(names))


def standard(found: "pd.DataFrame", names: list[str]) -> np.ndarray:
    """Less the density's mean, over the standard deviation of that."""
    values, kept = found[names].to_numpy(), found["kept"].to_numpy()
    return within(values, kept) / spread_within(values, kept)


def rows_of(found: "pd.DataFrame", model: str, names: list[str]) -> list[dict[str, Any]]:
    x, y = standard(found, names), found["points"].to_numpy()
    kept, masks = found["kept"].to_numpy(), found["arm"].map(mask_of).to_numpy(dtype=str)
    whole: dict[str, Any] = {"explained": explained(x, y, kept), "foretold": foretold(x, y, kept, masks)}
    told = zip(names, effects(x, y, kept, masks), inflation(x, kept), strict=True)
    return [{"predictor": n, "model": model} | e._asdict() | {"inflation": wider} | whole for n, e, wider in told]
