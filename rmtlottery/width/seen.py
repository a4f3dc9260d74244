"""Bodies as they are seen from w_0, the origin: the cones of all directions that lead to them.

That of a quadratic sublevel set is `Descent`; a subspace through w_0 meets a convex body if it meets its cone.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import above
from rmtlottery.width.bodies import Points
from rmtlottery.width.cones import Elliptic


@dataclass(frozen=True)
class SeenBall:
    """A ball about a centre farther away than its radius: a circular cone."""

    centre: Array
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", np.asarray(self.centre, float))
        above(self.radius, 0, "radius")
        if not np.isfinite(self.centre).all() or not np.linalg.norm(self.centre) > self.radius > 0:
            far = np.linalg.norm(self.centre)
            raise ValueError(f"a ball of radius {self.radius:g} about a point {far:g} away is not seen from outside")

    @property
    def ambient(self) -> int:
        return len(self.centre)

    @cached_property
    def cone(self) -> Elliptic:
        steepness = (self.centre @ self.centre - self.radius**2) / self.radius**2
        return Elliptic(np.full(self.ambient - 1, steepness))

    def project(self, g: Array) -> Array:
        """Within the plane of each g and the axis."""
        axis = self.centre / np.linalg.norm(self.centre)
        return turned(self.cone.project(turned(g, axis)), axis)


def turned(g: Array, axis: Array) -> Array:
    """Mirrored so that the axis becomes the first of all, and back."""
    between = axis - np.eye(len(axis))[0]
    length = between @ between
    return g - 2 * np.outer(g @ between, between) / length if length else g


@dataclass(frozen=True)
class SeenPoints:
    """All that lies between so many points, one a row: the cone that they generate."""

    points: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", Points(np.asarray(self.points, float)).points)

    @property
    def ambient(self) -> int:
        return int(self.points.shape[1])

    def project(self, g: Array) -> Array:
        """By least squares with weights that are not negative."""
        return np.array([self.points.T @ nnls(self.points.T, row)[0] for row in g]).reshape(g.shape)
