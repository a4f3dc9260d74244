"""Residual blocks that add to the pre-activation, and what they do to lengths, gradients and correlations.

skip 1: h + W phi(h) + b. skip 2: h + W2 phi(W1 phi(h) + b1) + b2. Weights are new in every layer and have mean zero, so
that the cross term of h and its branch is zero on average and lengths add [Yang and Schoenholz 2017; skip 2 derived here].
There is no fixed point: a bounded phi adds at most sigma_w^2 sup phi^2 + sigma_b^2 a block, so that q grows *linearly* with
depth; relu multiplies, so that q grows *exponentially* (by 1 + sigma_w^2/2 a block of skip 1).
"""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import activation
from rmtlottery.meanfield.gaussian import Array, lengths, whole
from rmtlottery.meanfield.maps import Phi, correlation_map, covariance_map, length_map, sigmas

Sigma = ArrayLike | tuple[ArrayLike, ...]


def residual_map(q: ArrayLike, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh", *, skip: int = 2) -> Array:
    """q + Q(q) or q + Q2(Q1(q)), the length behind one block.

    A *tuple* of sigmas is one per layer of the block, each divided by its own fan-in (W2's is the block's inner width);
    anything else is the same for every layer and broadcasts.
    """
    q = lengths(q)
    return q + branch(q, block_layers(sigma_w, sigma_b, skip), phi)[-1]


def residual_trajectory(
    q1: ArrayLike, blocks: int, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh", skip: int = 2
) -> Array:
    """The length before the first block and behind each: blocks + 1 rows, the first q1 itself."""
    whole(blocks, "blocks", least=0)
    layers = block_layers(sigma_w, sigma_b, skip)
    shape = np.broadcast_shapes(np.shape(q1), *(np.shape(sigma) for layer in layers for sigma in layer))
    rows = [np.broadcast_to(lengths(q1), shape)]
    for _ in range(blocks):
        rows.append(rows[-1] + branch(rows[-1], layers, phi)[-1])
    return np.stack(rows)


def residual_chi(q: ArrayLike, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh", *, skip: int = 2) -> Array:
    """1 + chi(q) or 1 + chi1(q) chi2(Q1(q)): the block's mean squared gain E tr J^T J / width; never below 1.

    In skip 2 the second factor is taken at the branch's own length Q1(q), not at q.
    """
    layers, act = block_layers(sigma_w, sigma_b, skip), activation(phi)
    q = lengths(q)
    along = [q, *branch(q, layers, act)]
    gain: Array = np.ones(())
    for (weight, _), length in zip(layers, along[:-1], strict=True):
        gain = gain * weight**2 * act.D(length)
    return 1 + gain


def residual_correlation_map(
    c: ArrayLike, q: ArrayLike, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh", *, skip: int = 2
) -> Array:
    """The correlation, behind a block, of two signals of length q and correlation c: covariances add as lengths do.

    Normalised by the length behind the block, so that c = 1 stays 1; no c* is approached at a rate, q not being stationary.
    """
    length, c = lengths(q), np.asarray(c, float)
    shared, inner = c, length
    for weight, bias in block_layers(sigma_w, sigma_b, skip):
        shared, inner = correlation_map(shared, inner, weight, bias, phi), length_map(inner, weight, bias, phi)
    total = length + inner
    return np.where(total > 0, (length * c + inner * shared) / np.where(total > 0, total, 1.0), c)


def residual_covariance_map(
    q1: ArrayLike, q2: ArrayLike, q12: ArrayLike, sigma_w: Sigma, sigma_b: Sigma, phi: Phi = "tanh", *, skip: int = 2
) -> Array:
    """The covariance, behind a block, of two signals of any lengths q1 and q2; these pass on by `residual_map`."""
    a, b, given = lengths(q1, "q1"), lengths(q2, "q2"), np.asarray(q12, float)
    shared = given
    for weight, bias in block_layers(sigma_w, sigma_b, skip):
        shared = covariance_map(a, b, shared, weight, bias, phi)
        a, b = length_map(a, weight, bias, phi), length_map(b, weight, bias, phi)
        shared = np.clip(shared, -np.sqrt(a * b), np.sqrt(a * b))  # rounding, or the next layer refuses it
    return given + shared


def branch(q: Array, layers: list[tuple[Array, Array]], phi: Phi) -> list[Array]:
    """The lengths inside a block's branch, that of its output last."""
    found = []
    for weight, bias in layers:
        q = length_map(q, weight, bias, phi)
        found.append(q)
    return found


def block_layers(sigma_w: Sigma, sigma_b: Sigma, skip: int) -> list[tuple[Array, Array]]:
    """(sigma_w, sigma_b) of each layer of a block, in the order in which a signal meets them."""
    if skip not in (1, 2):
        raise ValueError(f"skip = {skip}: a skip goes over 1 or 2 layers")
    held = []
    for name, sigma in (("sigma_w", sigma_w), ("sigma_b", sigma_b)):
        each = sigma if isinstance(sigma, tuple) else (sigma,) * skip
        if len(each) != skip:
            raise ValueError(f"{name} = {sigma!r} has {len(each)} values, but a block has {skip} layers")
        held.append(each)
    return [sigmas(weight, bias) for weight, bias in zip(*held, strict=True)]
