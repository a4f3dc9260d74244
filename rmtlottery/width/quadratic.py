"""How well does the best point of a random subspace do in a quadratic well, and how many directions reach a given loss?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.meanfield.newton import newton
from rmtlottery.width.arguments import curved, displaced, level, target, weighed

GRID = 12  # starts of Newton's method in a decade
AT_ONCE = 2**22  # numbers of one table of roots by curvatures


@dataclass(frozen=True)
class Well:
    """L = 1/2 (w - w*)^T H (w - w*) as a start w_0 sees it: the measure of H's curvatures, and that of u = w_0 - w* in them.

    `counts[i]` of the ambient dimensions have the curvature `curvatures[i]`, and u has `squares[j]` of its squared length
    along curvature `along[j]`. Curvatures may be 0, and none is negative.
    """

    curvatures: Array
    counts: Array
    along: Array
    squares: Array

    def __post_init__(self) -> None:
        h, along = curved(self.curvatures, "curvatures"), level(self.along, "curvatures along the displacement")
        counts, squares = weighed(self.counts, h, "counts"), weighed(self.squares, along, "squares")
        for name, held in {"curvatures": h, "counts": counts, "along": along, "squares": squares}.items():
            object.__setattr__(self, name, held)

    @classmethod
    def of(cls, curvatures: ArrayLike, displacement: ArrayLike, basis: ArrayLike | None = None) -> "Well":
        """Of all eigenvalues of H and of u by its entries along the eigenvectors: columns of `basis`, if one is given."""
        h = curved(curvatures, "curvatures")
        u = displaced(displacement, len(h))
        if basis is not None:
            turned = np.asarray(basis, float)
            if turned.shape != (len(h), len(h)):
                raise ValueError(f"a basis of shape {turned.shape} has no column for each of {len(h)} curvatures")
            u = turned.T @ u
        return cls(h, np.ones_like(h), h, u**2)

    @property
    def start(self) -> float:
        """The loss at w_0."""
        return float(self.along @ self.squares) / 2

    @property
    def rank(self) -> float:
        """Dimensions that are curved at all: so many directions reach the minimum."""
        return float(self.counts[self.curvatures > 0].sum())

    @property
    def radius(self) -> float:
        """|u|."""
        return float(np.sqrt(self.squares.sum()))

    def threshold(self, loss: ArrayLike) -> Array:
        """The d at which half of all random subspaces through w_0 hold a point of that loss, in mean field.

        eps(kappa) = 1/2 sum h u^2 / (1 + kappa h), d(kappa) = sum kappa h / (1 + kappa h), kappa from 0 to infinity. It is 0
        where w_0 is as low already, and the rank of H for a loss of 0.
        """
        wanted = target(loss)
        found = np.where(wanted >= self.start, 0.0, self.rank)
        inside = (wanted > 0) & (wanted < self.start)
        if inside.any():
            found[inside] = self.directions(self.stiffness(wanted[inside]))
        return found

    def loss(self, dim: ArrayLike) -> Array:
        """The loss that half of all random subspaces of so many directions reach: the inverse of `threshold`."""
        wanted = np.asarray(dim, float)
        if not ((wanted >= 0) & (wanted <= self.counts.sum())).all():
            wrong = wanted[~((wanted >= 0) & (wanted <= self.counts.sum()))].flat[0]
            raise ValueError(f"dim = {wrong:g} is not within 0 and the {self.counts.sum():g} dimensions of the well")
        found = np.where(wanted == 0, self.start, 0.0)
        inside = (wanted > 0) & (wanted < self.rank)
        if inside.any():
            found[inside] = self.left(self.reach(wanted[inside]))
        return found

    def left(self, kappa: Array) -> Array:
        return self.sums(kappa, self.along, self.along * self.squares / 2, 1)

    def directions(self, kappa: Array) -> Array:
        return kappa * self.sums(kappa, self.curvatures, self.curvatures * self.counts, 1)

    @staticmethod
    def sums(kappa: Array, h: Array, weights: Array, power: int) -> Array:
        """sum_i weights_i / (1 + kappa h_i)^power for every kappa."""
        portion = max(1, AT_ONCE // max(1, len(h)))
        parts = [kappa[at : at + portion] for at in range(0, len(kappa), portion)]
        return np.concatenate([(1 / (1 + np.outer(part, h)) ** power) @ weights for part in parts])

    def stiffness(self, loss: Array) -> Array:
        """kappa at which `left` is the loss: it falls convexly, so that Newton's steps from below stay below."""
        least = (self.start / loss - 1) / self.along.max()
        most = self.squares[self.along > 0].sum() / (2 * loss)
        grid = decades(least.min(), most.max())
        start = np.maximum(least, below(grid, -self.left(grid), -loss))
        slopes = self.along**2 * self.squares / 2

        def step(kappa: Array, at: np.ndarray) -> Array:
            return np.maximum(kappa, kappa + (self.left(kappa) - loss[at]) / self.sums(kappa, self.along, slopes, 2))

        return newton(step, start)

    def reach(self, dim: Array) -> Array:
        """kappa at which `directions` is d: it rises concavely, so that Newton's steps from below stay below."""
        h, counts = (held[self.curvatures > 0] for held in (self.curvatures, self.counts))
        least, most = dim / (h @ counts), (counts / h).sum() / (self.rank - dim)
        grid = decades(least.min(), most.max())
        start = np.maximum(least, below(grid, self.directions(grid), dim))

        def step(kappa: Array, at: np.ndarray) -> Array:
            return np.maximum(kappa, kappa + (dim[at] - self.directions(kappa)) / self.sums(kappa, h, h * counts, 2))

        return newton(step, start)


def decades(least: float, most: float) -> Array:
    low, high = np.log10(least), np.log10(max(most, least))
    return 10 ** np.linspace(low, high, max(2, int(GRID * (high - low)) + 2))


def below(grid: Array, rising: Array, wanted: Array) -> Array:
    """For each wanted value the last point of the grid at which a rising function is not yet beyond it."""
    return grid[np.maximum(np.searchsorted(rising, wanted, side="right") - 1, 0)]


def quadratic_threshold(
    curvatures: ArrayLike, displacement: ArrayLike, loss: ArrayLike, *, basis: ArrayLike | None = None
) -> Array:
    """d* of the well 1/2 u^T H u. The displacement u = w_0 - w* stands in H's eigenbasis, or is turned into it by `basis`,
    whose columns are the eigenvectors.

    Exact in mean field: half of all uniformly random subspaces of d* directions through w_0 reach the loss, which is counted
    from the minimum. `Well` takes measures in place of lists.
    """
    return Well.of(curvatures, displacement, basis).threshold(loss)[()]
