"""Exact second moments of products of randomly masked matrices, of any sizes, without a limit (derived here).

Of A = J J^T three means close on themselves: a = E (tr A)^2, b = E tr A^2, c = E sum_i A_ii^2. They begin at J = 1. For
W (m x n) of independent symmetric entries of variance v and fourth moment f, E over W of (W A W^T) leaves, given A,
c' = m [v^2 (a + 2 b) + (f - 3 v^2) c], b' = c' + m (m - 1) v^2 b, a' = c' + m (m - 1) v^2 a.
What moves the spectrum off the one of Gaussian matrices is the number of nonzeros per row, not the density by itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, lengths, whole


class Moments(NamedTuple):
    """Of the n_L eigenvalues of J J^T, zeros included.

    `mean` is m1 = E tr A/n_L and `variance` is m2/m1^2 - 1 with m2 = E tr A^2/n_L, as in JacobianLaw. `spread` is the
    relative variance of tr A from matrix to matrix, E (tr A)^2/(E tr A)^2 - 1: what one sample of m1 may be off by.
    """

    mean: float
    variance: float
    spread: float


def masked_moments(
    widths: Sequence[int],
    sigma_w: ArrayLike,
    density: ArrayLike = 1.0,
    kurtosis: ArrayLike = 3.0,
    *,
    slope_square: ArrayLike = 1.0,
    slope_fourth: ArrayLike | None = None,
) -> Moments:
    """Of J = D_L W_L ... D_1 W_1 with W_l (n_l, n_(l-1)), `widths` = (n_0, .., n_L); all else a number or one per layer.

    An entry is kept with probability `density`; a kept one is symmetric with E w^2 = sigma_w^2/n_(l-1), *not* divided by the
    density, and E w^4 = kurtosis (E w^2)^2: 3 for Gaussian, 1 for signs. The gains are independent, E d^2 =
    slope_square and E d^4 = slope_fourth: Activation.D(q) and .D4(q); slope_fourth is slope_square^2 (all gains
    alike) unless given.
    """
    n = np.array([whole(width, "a width") for width in widths], float)
    mu1 = lengths(slope_square, "slope_square")
    mu2 = mu1**2 if slope_fourth is None else lengths(slope_fourth, "slope_fourth")
    given = per_layer({"sigma_w": sigma_w, "density": density, "kurtosis": kurtosis, "mu1": mu1, "mu2": mu2}, len(n) - 1)
    sigma, kept, tails, mu1, mu2 = given
    checked(kept, tails, mu1, mu2, sigma)
    v = kept * sigma**2 / n[:-1]
    scale = v * n[1:] * mu1  # of tr A, divided out on the way
    state = np.array([n[0] ** 2, n[0], n[0]])
    for layer, rows in enumerate(n[1:]):
        excess = tails[layer] / kept[layer] - 3
        state = step(state, rows, excess, mu2[layer] / mu1[layer] ** 2)
    a, b, _ = state
    return Moments(float(n[0] * np.prod(scale) / n[-1]), float(n[-1] * b / n[0] ** 2 - 1), float(a / n[0] ** 2 - 1))


def step(state: Array, rows: float, excess: float, gain: float) -> Array:
    """(a, b, c) after one more layer, over the square of what it multiplies tr A by; excess = f/v^2 - 3."""
    a, b, c = state
    diagonal = (a + 2 * b + excess * c) / rows
    rest = (rows - 1) / rows
    return np.array([gain * diagonal + rest * a, gain * diagonal + rest * b, gain * diagonal])


def per_layer(given: dict[str, ArrayLike], depth: int) -> list[Array]:
    if depth < 1:
        raise ValueError(f"{depth + 1} widths make no layer: give n_0 .. n_L, two or more")
    for name, value in given.items():
        if np.shape(value) not in ((), (depth,)):
            raise ValueError(f"{name} of shape {np.shape(value)} does not go with {depth} layers: a number, or one for each")
    return [np.broadcast_to(np.asarray(value, float), (depth,)) for value in given.values()]


def checked(density: Array, kurtosis: Array, slope_square: Array, slope_fourth: Array, sigma: Array) -> None:
    lengths(sigma, "sigma_w")
    if not np.all((density > 0) & (density <= 1)):
        raise ValueError(f"density = {density} is not in (0, 1], the share of entries kept")
    if not (np.all(kurtosis >= 1) and np.all(slope_fourth >= slope_square**2 * (1 - 1e-12)) and np.all(slope_square > 0)):
        raise ValueError(
            f"kurtosis = {kurtosis}, slope_square = {slope_square} and slope_fourth = {slope_fourth} are no moments: "
            "E x^2 is above 0, and E x^4 at least its square"
        )
