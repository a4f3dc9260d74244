"""Averages of f(mean + sqrt(variance) z), z ~ N(0, 1), element by element: what a unit with a mean of its own passes on.

f may turn or kink at 0 only, or be straight between given `edges`: nodes are dense around the z where the argument is 0,
wherever in reach that is. Errors stay below 1e-10 of E|f| for variances in [0, 1e5], but for averages that live beyond
|z| = 9 (E tanh' < 1e-17). One rule at every variance, in chunks that stay in the cache.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, both_sides, density, legendre, whole

REACH = 9.0
LARGEST = 1e5
PIECE = 48
Edges = tuple[float, ...]
CHUNK = 128
NODES, WEIGHTS = both_sides(2 * REACH, 112)
NORMED = WEIGHTS / np.sqrt(2 * np.pi)


def shifted_mean(f: Callable[[Array], Array], mean: ArrayLike, variance: ArrayLike, edges: Edges = ()) -> Array:
    """E f(mean + sqrt(variance) z); variance 0 gives f(mean)."""
    return shifted_means(lambda u: (f(u),), mean, variance, edges)[0]


def shifted_means(f: Callable[[Array], Sequence[Array]], mean: ArrayLike, variance: ArrayLike, edges: Edges = ()) -> Array:
    """The averages of all that `f` returns, stacked in front: lambda u: ((t := np.tanh(u)), t**2) computes tanh once."""
    return over_chunks(lambda u, z, weight: [np.einsum("ez,ez->e", g, weight) for g in f(u)], mean, variance, edges)


def shifted_coefficients(
    f: Callable[[Array], Array], mean: ArrayLike, variance: ArrayLike, terms: int, edges: Edges = ()
) -> Array:
    """a_n = E f(mean + sqrt(variance) z) He_n(z) / sqrt(n!), n = 0 .. terms-1, stacked in front; a_0 is the mean.

    Jointly Gaussian u_i of any means and variances have Cov(f(u_i), f(u_j)) = sum over n >= 1 of a_n(i) a_n(j) rho_ij^n,
    rho their *correlation* (Mehler).
    """
    whole(terms, "terms")
    return over_chunks(lambda u, z, weight: hermite_sums(f(u) * weight, z, terms), mean, variance, edges)


def hermite_sums(values: Array, z: Array, terms: int) -> list[Array]:
    """Sums of values * He_n(z)/sqrt(n!) along the last axis, by the three-term recursion."""
    before, here, found = np.zeros_like(z), np.ones_like(z), []
    for n in range(terms):
        found.append(np.einsum("ez,ez->e", values, here))
        before, here = here, (z * here - np.sqrt(n) * before) / np.sqrt(n + 1)
    return found


def over_chunks(
    sums: Callable[[Array, Array, Array], Sequence[Array]], mean: ArrayLike, variance: ArrayLike, edges: Edges
) -> Array:
    """`sums` of (argument, z, weight), each (elements, nodes), for all elements of the broadcast arrays."""
    mean, variance = np.broadcast_arrays(np.asarray(mean, float), np.asarray(variance, float))
    if not np.all((variance >= 0) & (variance <= LARGEST)) or not np.all(np.isfinite(mean)):
        raise ValueError(f"means are to be finite, and variances from 0 to {LARGEST:g}: {spans(mean)} and {spans(variance)}")
    flat, spread = mean.ravel(), np.sqrt(variance.ravel())
    starts = range(0, max(flat.size, 1), CHUNK)  # one round even for no elements tells how many averages there are
    found = [np.stack(sums(*rule(flat[at : at + CHUNK], spread[at : at + CHUNK], edges))) for at in starts]
    stacked = np.concatenate(found, axis=1)
    return stacked.reshape(stacked.shape[0], *mean.shape)


def rule(mean: Array, spread: Array, edges: Edges) -> tuple[Array, Array, Array]:
    """Arguments, z and weights. A zero in reach is hit without rounding, so that a kink there is between two nodes."""
    if edges:
        return between(mean, spread, edges)
    inside = np.clip(mean, -REACH * spread, REACH * spread)
    centre = -inside / np.where(spread > 0, spread, 1.0)
    z = centre[:, None] + NODES
    return (mean - inside)[:, None] + spread[:, None] * NODES, z, np.exp(z * z * -0.5) * NORMED


def between(mean: Array, spread: Array, edges: Edges) -> tuple[Array, Array, Array]:
    """The same for f that is straight, or nearly, between its edges: Gauss-Legendre in each piece that is in reach."""
    place, weights = legendre(PIECE)
    wide = np.where(spread > 0, spread, np.inf)[:, None]
    ends = np.clip((np.asarray(edges) - mean[:, None]) / wide, -REACH, REACH)
    ends = np.concatenate([np.full_like(ends[:, :1], -REACH), ends, np.full_like(ends[:, :1], REACH)], axis=1)
    half, middle = np.diff(ends)[..., None] / 2, (ends[:, 1:] + ends[:, :-1])[..., None] / 2
    z = (middle + half * place).reshape(len(mean), -1)
    weight = (half * weights).reshape(len(mean), -1) * density(z)
    return mean[:, None] + spread[:, None] * z, z, weight


def spans(values: Array) -> str:
    return f"{np.min(values):.3g} .. {np.max(values):.3g}"
