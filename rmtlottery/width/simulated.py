"""Random subspaces of a quadratic well, every size at once: one QR gives the least loss along the first d columns."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array
from rmtlottery.width.arguments import curved, displaced, target


def least_losses(curvatures: ArrayLike, displacement: ArrayLike, draws: int, generator: np.random.Generator) -> Array:
    """(draws, D + 1): the least loss within d = 0 .. D Gaussian directions, nested, from w_0.

    1/2 |H^(1/2) A x + b|^2 with b = H^(1/2) u; flat dimensions add nothing to either.
    """
    h = curved(curvatures, "curvatures")
    u = displaced(displacement, len(h))
    steep = h > 0
    roots = np.sqrt(h[steep])
    losses = np.zeros((draws, len(h) + 1))
    for row in losses:
        made = roots[:, None] * generator.standard_normal((len(roots), len(roots)))
        row[: len(roots) + 1] = nested_losses([(made, roots * u[steep])])
    return losses


def nested_losses(blocks: Iterable[tuple[Array, Array]]) -> Array:
    """The least 1/2 |A x + b|^2 over the first d entries of x, the others 0, for every d; A and b a block of rows at a time.

    In the last column of the triangle of (A b) every entry is what b has along one more direction, and the last is what it
    has along none.
    """
    triangle: Array | None = None
    for matrix, rest in blocks:
        held = np.column_stack([matrix, rest])
        triangle = np.asarray(np.linalg.qr(held if triangle is None else np.vstack([triangle, held]), mode="r"))
    if triangle is None:
        raise ValueError("no rows are given to fit")
    # Summed from the end: of what is left nothing is lost to rounding where it is small.
    squares = np.zeros(triangle.shape[1])
    squares[: len(triangle)] = triangle[:, -1] ** 2
    return squares[::-1].cumsum()[::-1] / 2


def hitting_dimensions(losses: Array, loss: ArrayLike) -> Array:
    """(draws, ...): the least d whose loss is at most so much, for each draw; half of the draws hit at their median."""
    wanted = target(loss)
    if losses.ndim != 2:
        raise ValueError(f"losses of shape {losses.shape} are no table of draws and dimensions")
    return np.stack([len(row) - np.searchsorted(row[::-1], wanted, side="right") for row in losses])
