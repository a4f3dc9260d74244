"""Convex cones by the projection on them; as bodies they are what lies within the unit ball."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import curved, dimensions, displaced

HALVINGS = 52  # so that the middle is never 1


class Cone(Protocol):
    """A closed convex cone of `ambient` dimensions."""

    @property
    def ambient(self) -> int: ...

    def project(self, g: Array) -> Array:
        """The nearest point of the cone to each row of g."""


class Section:
    """What a cone has within the unit ball: its support function is |Pi g|."""

    def __init__(self, cone: Cone) -> None:
        self.cone, self.ambient = cone, cone.ambient

    def support(self, g: Array) -> Array:
        return np.linalg.norm(self.cone.project(g), axis=1)


@dataclass(frozen=True)
class Subspace:
    """The first `dim` of the ambient dimensions."""

    dim: int
    ambient: int

    def __post_init__(self) -> None:
        dimensions(self.dim, self.ambient)

    def project(self, g: Array) -> Array:
        return np.where(np.arange(self.ambient) < self.dim, g, 0.0)


@dataclass(frozen=True)
class Orthant:
    """No entry negative."""

    ambient: int

    def project(self, g: Array) -> Array:
        return np.maximum(g, 0.0)


class Elliptic:
    """x_1 >= sqrt(sum_i steepness_i x_i^2) over the other entries; a steepness may be 0, where x_i is free."""

    def __init__(self, steepness: Array) -> None:
        self.steepness = np.asarray(steepness, float)
        if not ((self.steepness >= 0) & np.isfinite(self.steepness)).all():
            raise ValueError("a steepness of a cone is a finite number that is not negative")
        self.ambient = len(self.steepness) + 1

    def project(self, g: Array) -> Array:
        first, rest = g[:, 0], g[:, 1:]
        inside = first >= np.sqrt((self.steepness * rest**2).sum(1))
        # Of the polar cone: what is as far behind the apex as it is aside, in the lengths of the dual ellipsoid.
        with np.errstate(divide="ignore", invalid="ignore"):
            aside = np.where(rest == 0, 0.0, rest**2 / self.steepness).sum(1)
        behind = (first <= 0) & (first**2 >= aside)
        found = np.where(inside[:, None], g, 0.0)
        between = ~inside & ~behind
        found[between] = self.on_the_boundary(first[between], rest[between])
        return found

    def on_the_boundary(self, first: Array, rest: Array) -> Array:
        """x = g / (1 + t mu) with mu = -1 for the first entry: t within 0 and 1 if that is positive, beyond 1 if not."""
        ahead = first > 0

        def scales(half: Array) -> tuple[Array, Array]:
            """1/(1 - t) and 1/(1 + t steepness); `half` is t ahead and 1/t behind."""
            own = np.where(ahead, 1.0, -half) / (1 - half)
            held, steep = half[:, None], self.steepness
            return own, np.where(ahead[:, None], 1 / (1 + held * steep), held / (held + steep))

        def outside(half: Array) -> Array:
            own, other = scales(half)
            return (self.steepness * (rest * other) ** 2).sum(1) > (first * own) ** 2

        aside = rest * scales(bisect(outside, len(first)))[1]
        return np.column_stack([np.sqrt((self.steepness * aside**2).sum(1)), aside])


def bisect(outside: Callable[[Array], Array], size: int) -> Array:
    """Between 0 and 1, where `outside` ends."""
    low, high = np.zeros(size), np.ones(size)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        still = outside(middle)
        low, high = np.where(still, middle, low), np.where(still, high, middle)
    return (low + high) / 2


class Descent:
    """The directions from w_0 that lead to a loss of at most eps in a quadratic well.

    x^T M x <= 0 and <Hu, x> <= 0 with M = 2 (L(w_0) - eps) H - (Hu)(Hu)^T, which has one negative eigenvalue: an elliptic
    cone about its eigenvector.
    """

    def __init__(self, curvatures: Array, displacement: Array, loss: float) -> None:
        h = curved(curvatures, "curvatures")
        u = displaced(displacement, len(h))
        spare = h @ u**2 - 2 * loss
        if not (spare > 0 and loss > 0):
            raise ValueError(
                f"loss = {loss:g} is not within 0 and the initial {h @ u**2 / 2:g}: there is no cone of descent"
            )
        values, vectors = np.linalg.eigh(spare * np.diag(h) - np.outer(h * u, h * u))
        away = np.sign((h * u) @ vectors[:, 0])
        self.ambient, self.vectors = len(h), vectors * np.where(np.arange(len(h)) == 0, -away, 1.0)
        flat = values[1:] <= 1e-13 * values[-1]
        self.cone = Elliptic(np.where(flat, 0.0, values[1:]) / -values[0])

    def project(self, g: Array) -> Array:
        return self.cone.project(g @ self.vectors) @ self.vectors.T
