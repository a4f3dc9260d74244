"""Regression within groups, with rows that belong together in clusters: slopes, intervals, and what they are worth.

Every group has an intercept of its own; arrays are x (rows, predictors), y, and each row's group and cluster by name.
"""

from typing import NamedTuple

import numpy as np

Array = np.ndarray
NOTHING = 1e-9  # of 1 at most: rounding


class Effect(NamedTuple):
    """Change of y per unit of one predictor, its 95 % interval, and the degrees of freedom that this rests on."""

    slope: float
    low: float
    high: float
    freedom: float


def effects(x: Array, y: Array, groups: Array, clusters: Array) -> list[Effect]:
    """Least squares, with the intervals of Bell and McCaffrey 2002 (CR2): residuals may depend on each other in a cluster.

    The usual robust intervals are too narrow for a few clusters. Here the residuals of each are divided by the root of what
    least squares leaves of them, and the t-distribution has the degrees of freedom of Satterthwaite, both as if residuals
    were independent and equal (Pustejovsky and Tipton 2018, eqs. 6 and 11); they are few where few clusters decide.
    """
    design = with_intercepts(x, groups)
    inverse = np.linalg.pinv(design)
    left = np.eye(len(y)) - design @ inverse
    return [effect(row, y, left, clusters) for row in inverse[: x.shape[1]]]


def effect(row: Array, y: Array, left: Array, clusters: Array) -> Effect:
    """That of one slope, `row` @ y; without end where it rests on what least squares leaves no residual of."""
    from scipy.stats import t

    slope, scores = float(row @ y), []
    for rows in of_each(clusters):
        root, told = inverse_root(left[np.ix_(rows, rows)])
        if np.linalg.norm(row[rows] - told @ row[rows]) > NOTHING * np.linalg.norm(row):
            return Effect(slope, -np.inf, np.inf, 0.0)
        scores.append(left[:, rows] @ root @ row[rows])
    gram = np.array(scores) @ np.transpose(scores)
    freedom = float(np.trace(gram) ** 2 / np.sum(gram**2))
    reach = float(t.ppf(0.975, freedom) * np.linalg.norm(np.array(scores) @ y))
    return Effect(slope, slope - reach, slope + reach, freedom)


def inverse_root(symmetric: Array) -> tuple[Array, Array]:
    """Of its positive part, and the projection on that."""
    values, vectors = np.linalg.eigh(symmetric)
    positive = values > NOTHING
    scale = np.where(positive, values, np.inf) ** -0.5
    return vectors * scale @ vectors.T, vectors * positive @ vectors.T


def of_each(clusters: Array) -> list[Array]:
    return [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]


def with_intercepts(x: Array, groups: Array) -> Array:
    return np.column_stack([x, groups[:, None] == np.unique(groups)])


def within(values: Array, groups: Array) -> Array:
    """Less the mean of the group."""
    members = groups[:, None] == np.unique(groups)
    return values - members @ ((members / members.sum(0)).T @ values)


def spread_within(x: Array, groups: Array) -> Array:
    """The standard deviation of each predictor within groups, pooled over them."""
    return np.sqrt(np.sum(within(x, groups) ** 2, 0) / max(len(x) - len(np.unique(groups)), 1))


def explained(x: Array, y: Array, groups: Array) -> float:
    """Partial R^2: the share of the squares within groups that the predictors take away."""
    here, deviations = within(x, groups), within(y, groups)
    return taken(deviations - here @ np.linalg.lstsq(here, deviations)[0], deviations)


def foretold(x: Array, y: Array, groups: Array, clusters: Array) -> float:
    """The same share of what is missed in each cluster by those who know the others alone; below 0 if x misleads them.

    Both sides are told so: without predictors, a row is foretold by the mean of the others in its group.
    """
    return taken(missed(x, y, groups, clusters), missed(x[:, :0], y, groups, clusters))


def missed(x: Array, y: Array, groups: Array, clusters: Array) -> Array:
    design, found = with_intercepts(x, groups), np.empty(len(y))
    for rows in of_each(clusters):
        others = np.setdiff1d(np.arange(len(y)), rows)
        found[rows] = y[rows] - design[rows] @ np.linalg.lstsq(design[others], y[others])[0]
    return found


def taken(after: Array, before: Array) -> float:
    return float(1 - after @ after / (before @ before)) if before.any() else np.nan


def inflation(x: Array, groups: Array) -> list[float]:
    """By how much the others widen the variance of each slope: 1 / (1 - R^2 of x_j on them), within groups."""
    deviations = within(x, groups)
    scaled = deviations / np.linalg.norm(deviations, axis=0)
    return np.diag(np.linalg.inv(scaled.T @ scaled)).tolist()
