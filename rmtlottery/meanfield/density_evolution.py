"""Residual nets with the activation behind the sum, x <- phi(z + x), z = W2 phi(W1 x + b1) + b2: a law, not a length.

A wide net's z_i is Gaussian and knows nothing of x_i, but x_i comes along unmixed, so that h_i = z_i + x_i is *not*
Gaussian and no map of lengths is closed. What is closed is the law of x over the units (derived here): h is a mixture of
normals of one spread about the x's, its density is smooth on the scale of that spread, and Gauss-Legendre panels carry it
from block to block.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import Array, density, lengths, whole
from rmtlottery.meanfield.maps import Phi, length_map
from rmtlottery.meanfield.residual import Sigma, block_layers

REACH = 9.0
FAR = 24.0  # beyond, every activation is a straight line
FINEST = 600
PLACES, PARTS = np.polynomial.legendre.leggauss(8)
NEGLIGIBLE = 1e-22


class Evolution(NamedTuple):
    """Per block <h^2>, <x^2> behind phi, E phi'(h)^2, chi and gain, all means over units.

    chi = E phi'(h)^2 (1 + sigma_w1^2 sigma_w2^2 D(q1)) is E tr J J^T / width of the block alone, J = D_h (I + W2 D1 W1).
    The chain's squared gain is the product of `gain`, *not* of chi: a unit's x comes along, so where a block damps, the
    next damps too, and the perturbation that arrives is not spread evenly over units.
    """

    h_square: Array
    x_square: Array
    slope_square: Array
    chi: Array
    gain: Array


class Law(NamedTuple):
    """Values of x with weights that sum to 1, and the squared perturbation that sits at each (times its weight)."""

    x: Array
    weight: Array
    carried: Array


def evolve_density(start: ArrayLike, blocks: int, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh") -> Evolution:
    """What `blocks` post-activation blocks make of a law, exact in wide nets for any phi with kinks at 0 and +-1 at most.

    `start` is a length q0 (then x = phi(h), h ~ N(0, q0)) or a one-dimensional array: the x of every unit. A tuple of
    sigmas is one per layer of the block.
    """
    act, layers = activation(phi), block_layers(sigma_w, sigma_b, 2)
    law, rows = first_law(start, layers, act), []
    for _ in range(whole(blocks, "blocks")):
        law, row = block(law, layers, act)
        rows.append(row)
    return Evolution(*np.array(rows).T)


def gaussian_closure(start: ArrayLike, blocks: int, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh") -> Evolution:
    """The same as if h were N(0, <h^2>): a *closure*, which is not exact at any width; it knows no memory, so gain = chi."""
    act, layers = activation(phi), block_layers(sigma_w, sigma_b, 2)
    (weight1, bias1), (weight2, bias2) = layers
    x_square, rows = act.V(lengths(start, "start")), []
    for _ in range(whole(blocks, "blocks")):
        q1 = weight1**2 * x_square + bias1**2
        h_square = x_square + length_map(q1, weight2, bias2, act)
        x_square, slope_square = act.V(h_square), act.D(h_square)
        chi = slope_square * (1 + weight1**2 * weight2**2 * act.D(q1))
        rows.append(np.broadcast_arrays(h_square, x_square, slope_square, chi, chi))
    return Evolution(*(np.array(column) for column in zip(*rows, strict=True)))


def block(law: Law, layers: list[tuple[Array, Array]], act: Activation) -> tuple[Law, tuple[float, ...]]:
    """The law behind one block, and its row of an Evolution."""
    spread, branch_gain = branch_of(float(law.weight @ law.x**2), layers, act)
    h, width = panels(spread, np.abs(law.x).max() + REACH * spread)
    (weight, arrived), slope_square = mixed(h, law, spread) * width, act.slope(h) ** 2
    carried = slope_square * (arrived + branch_gain * law.carried.sum() * weight)
    x, some = act.phi(h), weight > NEGLIGIBLE
    means = [float(weight @ f) for f in (h**2, x**2, slope_square)]
    row = (*means, means[2] * (1 + branch_gain), float(carried.sum() / law.carried.sum()))
    return Law(x[some], weight[some], carried[some]), row


def mixed(h: Array, law: Law, spread: float) -> Array:
    """The densities at h of h itself, and of the perturbation that comes along: (2, nodes)."""
    both = np.stack([law.weight, law.carried], axis=1) / spread
    parts = np.array_split(h, len(h) // 512 + 1)  # a full table of nodes and atoms may not fit into memory
    return np.concatenate([density((part[:, None] - law.x) / spread) @ both for part in parts]).T


def branch_of(x_square: float, layers: list[tuple[Array, Array]], act: Activation) -> tuple[float, float]:
    """The spread of what a block adds, and its squared gain sigma_w1^2 sigma_w2^2 D(q1)."""
    (weight1, bias1), (weight2, bias2) = layers
    q1 = weight1**2 * x_square + bias1**2
    return float(np.sqrt(length_map(q1, weight2, bias2, act))), float(weight1**2 * weight2**2 * act.D(q1))


def first_law(start: ArrayLike, layers: list[tuple[Array, Array]], act: Activation) -> Law:
    if any(sigma.ndim for layer in layers for sigma in layer):
        raise ValueError("sigma_w and sigma_b are numbers here, or tuples of two: a law is carried for one net at a time")
    given = np.asarray(start, float)
    if given.ndim == 1 and given.size and np.all(np.isfinite(given)):
        even = np.full(given.shape, 1 / given.size)
        return Law(given, even, even)
    if given.ndim:
        raise ValueError(f"start of shape {given.shape} is neither a length nor a list of finite x, one of each unit")
    root = np.sqrt(lengths(given, "start"))
    if root == 0:
        return Law(act.phi(np.zeros(1)), np.ones(1), np.ones(1))
    spread, _ = branch_of(float(act.V(given)), layers, act)
    h, width = panels(min(spread, float(root)), float(REACH * root), 2 * FINEST)
    weight = density(h / root) / root * width
    return Law(act.phi(h), weight, weight)


def panels(spread: float, reach: float, finest: int = FINEST) -> tuple[Array, Array]:
    """Nodes and weights on [-reach, reach], fine enough for a density that is smooth on the scale of `spread`.

    Panels are 1/m wide near 0, so that kinks at 0 and +-1 fall between two of them.
    """
    if not spread * finest > reach:
        raise ValueError(
            f"a block adds a spread of {spread:.3g} to a law that reaches to {reach:.3g}: too little to resolve"
        )
    m = np.ceil(1 / min(spread, 1.0))
    near = np.arange(np.ceil(min(reach, FAR) * m) + 1) / m
    step = max(spread, 1.0)
    right = np.concatenate([near, np.arange(near[-1], reach + step, step)[1:]])
    edges = np.concatenate([-right[:0:-1], right])
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + PLACES)).ravel(), (half * PARTS).ravel()
