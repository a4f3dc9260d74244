"""What a well or a body may be made of."""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array


def curved(values: ArrayLike, name: str) -> Array:
    """Finite curvatures, one or more above 0, none below."""
    held = level(values, name)
    if not (held > 0).any():
        raise ValueError(f"all {held.size} {name} are 0: a flat loss has no threshold")
    return held


def level(values: ArrayLike, name: str) -> Array:
    """Finite curvatures, none below 0."""
    held = np.asarray(values, float)
    if held.ndim != 1:
        raise ValueError(f"{name} of shape {held.shape} are no list of one for each dimension")
    if not np.isfinite(held).all():
        raise ValueError(f"{np.sum(~np.isfinite(held))} of {held.size} {name} are not finite")
    if (held < 0).any():
        few = f"{np.sum(held < 0)} of {held.size} {name} are negative, the lowest {held.min():.3g}"
        raise ValueError(f"{few}: this is no well, and what is below its saddle has no least loss; cut them off knowingly")
    return held


def weighed(values: ArrayLike, at: Array, name: str) -> Array:
    """How much of a measure lies at each of these curvatures: finite, none below 0."""
    held = np.asarray(values, float)
    if held.shape != at.shape:
        raise ValueError(f"{name} of shape {held.shape} are not one for each of {len(at)} curvatures")
    wrong = ~(np.isfinite(held) & (held >= 0))
    if wrong.any():
        raise ValueError(f"{wrong.sum()} of {held.size} {name} are negative or not finite, the first {held[wrong][0]:.3g}")
    return held


def displaced(values: ArrayLike, dimensions: int) -> Array:
    """A finite number for each dimension."""
    held = np.asarray(values, float)
    if held.shape != (dimensions,) or not np.isfinite(held).all():
        raise ValueError(f"a displacement of shape {held.shape} is not a finite number for each of {dimensions} curvatures")
    return held


def target(loss: ArrayLike) -> Array:
    """Losses above the minimum, which is 0."""
    held = np.asarray(loss, float)
    if not (held >= 0).all():
        lowest = held[~(held >= 0)].flat[0]
        raise ValueError(f"loss = {lowest:g} is below the minimum of the well, 0: count losses from the minimum")
    return held


def dimensions(dim: int, ambient: int) -> None:
    if not 0 <= dim <= ambient:
        raise ValueError(f"dim = {dim} is not within 0 and the ambient {ambient}")


def above(value: ArrayLike, least: float, name: str) -> Array:
    held = np.asarray(value, float)
    if not (held >= least).all():
        raise ValueError(f"{name} = {held.min():g} is not {least:g} or more")
    return held
