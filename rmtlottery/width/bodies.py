"""Bodies by their support functions: how far each reaches along g."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above


class Body(Protocol):
    """A set of points of `ambient` numbers."""

    @property
    def ambient(self) -> int: ...

    def support(self, g: Array) -> Array:
        """sup <g, x> over the body, for every row of g."""


@dataclass(frozen=True)
class Ball:
    """Of that radius, about any centre: where it is moves no width."""

    ambient: int
    radius: float = 1.0

    def __post_init__(self) -> None:
        above(self.radius, 0, "radius")

    def support(self, g: Array) -> Array:
        return self.radius * np.linalg.norm(g, axis=1)


@dataclass(frozen=True)
class Ellipsoid:
    """sum x_i^2 / a_i^2 <= 1; an axis may be 0."""

    axes: Array

    def __post_init__(self) -> None:
        above(self.axes, 0, "axes")

    @property
    def ambient(self) -> int:
        return len(self.axes)

    def support(self, g: Array) -> Array:
        return np.linalg.norm(g * self.axes, axis=1)


@dataclass(frozen=True)
class Points:
    """So many points, one a row, or all that lies between them."""

    points: Array

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or not self.points.size or not np.isfinite(self.points).all():
            raise ValueError(f"points of shape {self.points.shape} are no table of finite numbers with a point in each row")

    @property
    def ambient(self) -> int:
        return self.points.shape[1]

    def support(self, g: Array) -> Array:
        return (g @ self.points.T).max(1)
