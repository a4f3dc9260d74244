"""Singular values of a convolution as the operator x -> conv(x) of stride 1, not of its kernel cut open into a matrix.

A kernel is (out, in, k1, ..) with one or two axes of space, as torch's: y[p] = sum_u K[u] x[p + u - u0], a correlation. On a
torus the operator is one (out, in) matrix at each frequency, the transform of the kernel [Sedghi, Gupta & Long 2019], and u0
moves no singular value. Under zero padding it is no such sum, and u0 = (k - 1) // 2, as torch's padding="same" has it. Cut
open, a kernel has other norms: |unfolded| <= |operator| <= k |unfolded| for one of k x k that fits into the picture.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from rmtlottery.meanfield.gaussian import Array, whole

Complex = NDArray[np.complex128]
Size = int | tuple[int, ...]
LARGEST_SIDE = 4000
LARGEST_MATRIX = 2**26  # numbers: half a gigabyte
ABREAST = 2**22  # numbers of the transform that are decomposed at a time


def conv_singular_values(kernel: ArrayLike, size: Size, padding: str = "circular") -> Array:
    """All prod(size) * min(in, out) of them, descending, for pictures of `size` (a number, or one for each axis).

    "circular" takes a kernel of any size, which beyond the picture's goes around it once more. By SVD, not by Gram matrices:
    a value is right to 1e-16 of the largest at its frequency; the root of a Gram eigenvalue, at most twice as fast,
    only to 1e-8. "zero" decomposes the whole matrix, and is refused where that has more than 4000 rows and columns.
    """
    kernel, size = pictured(kernel, size)
    if padding == "zero":
        return np.asarray(np.linalg.svd(matrix(kernel, size), compute_uv=False))
    if padding != "circular":
        raise ValueError(f"padding = {padding!r} is not known; take 'circular' or 'zero'")
    found = over_frequencies(symbol(kernel, size), lambda part: np.linalg.svd(part, compute_uv=False))
    every = np.repeat(found, occurrences(size), axis=0)
    return np.sort(every, axis=None)[::-1]


def conv_norm_bounds(kernel: ArrayLike, size: Size, seed: int = 0) -> tuple[float, float]:
    """(low, high) of the largest singular value under zero padding, both rigorous but for rounding.

    high: the operator is a block of the circular one on pictures that are larger by k // 2. low: |T v| of the vector v of
    length 1 that a Lanczos iteration leaves, which begins at random by `seed`; most often it is the norm to 1e-6.
    """
    kernel, size = pictured(kernel, size)
    if not kernel.any():
        return 0.0, 0.0
    transform = symbol(kernel, framed(kernel, size))
    squares = over_frequencies(transform, lambda part: np.linalg.eigvalsh(grams(part)))
    high = float(np.sqrt(squares.max()))
    return min(attained(zero_padded(kernel, size), seed), high), high


def slices(kernel: ArrayLike) -> Array:
    """(positions, out, in): the matrix at each position of the kernel, whose values are *not* the operator's."""
    kernel = checked(kernel)
    return np.moveaxis(kernel.reshape(*kernel.shape[:2], -1), -1, 0)


def unfolded(kernel: ArrayLike) -> Array:
    """(out, in * positions), "im2col": a matrix on windows, which overlap; its values are *not* the operator's."""
    kernel = checked(kernel)
    return kernel.reshape(len(kernel), -1)


def checked(kernel: ArrayLike) -> Array:
    kernel = np.asarray(kernel, float)
    if kernel.ndim not in (3, 4) or 0 in kernel.shape:
        raise ValueError(f"a kernel of shape {kernel.shape} is not (out, in, k) or (out, in, k1, k2) with no axis empty")
    if not np.all(np.isfinite(kernel)):
        raise ValueError(f"{np.sum(~np.isfinite(kernel))} numbers of the kernel are not finite; an operator has none such")
    return kernel


def pictured(kernel: ArrayLike, size: Size) -> tuple[Array, tuple[int, ...]]:
    """A kernel and the sides of the pictures that it is for."""
    kernel = checked(kernel)
    axes = kernel.ndim - 2
    size = tuple(size) if isinstance(size, tuple | list) else (size,) * axes
    if len(size) != axes:
        raise ValueError(f"size = {size} has {len(size)} sides, and a kernel of shape {kernel.shape} has {axes}")
    return kernel, tuple(whole(side, "a side of size") for side in size)


def symbol(kernel: Array, size: tuple[int, ...]) -> Complex:
    """The kernel's transform, (frequencies.., out, in); their last axis only up to half, for the rest are conjugates."""
    for axis, side in enumerate(size, start=2):
        kernel = around(kernel, axis, side)
    space = tuple(range(2, kernel.ndim))
    return np.moveaxis(np.fft.rfftn(kernel, axes=space), (0, 1), (-2, -1))


def around(kernel: Array, axis: int, side: int) -> Array:
    """An axis of a kernel as long as the picture's: filled up with zeros, or added up where it goes around."""
    turns = -(-kernel.shape[axis] // side)
    fill = [(0, 0)] * kernel.ndim
    fill[axis] = (0, turns * side - kernel.shape[axis])
    filled = np.pad(kernel, fill)
    return filled.reshape(*filled.shape[:axis], turns, side, *filled.shape[axis + 1 :]).sum(axis)


def occurrences(size: tuple[int, ...]) -> NDArray[np.int_]:
    """How often the values at each frequency of `symbol` occur: once where the last axis is its own conjugate, or twice."""
    last = np.arange(size[-1] // 2 + 1)
    return np.tile(np.where(2 * last % size[-1] == 0, 1, 2), prod(size[:-1]))


def over_frequencies(transform: Complex, function: Callable[[Complex], Any]) -> Array:
    """A function of the matrices at all frequencies, some at a time, for a workspace is as large as what it is given."""
    flat = transform.reshape(-1, *transform.shape[-2:])
    parts = min(len(flat), -(-flat.size // ABREAST))
    return np.concatenate([function(part) for part in np.array_split(flat, parts)])


def grams(matrices: Complex) -> Complex:
    """On the shorter side."""
    adjoint = np.conj(np.swapaxes(matrices, -1, -2))
    return matrices @ adjoint if matrices.shape[-2] <= matrices.shape[-1] else adjoint @ matrices


def matrix(kernel: Array, size: tuple[int, ...]) -> Array:
    """The zero padded operator, (out * pixels, in * pixels)."""
    rows, columns = (channels * prod(size) for channels in kernel.shape[:2])
    if min(rows, columns) > LARGEST_SIDE or rows * columns > LARGEST_MATRIX:
        raise ValueError(
            f"under zero padding this operator is a {rows} x {columns} matrix, too large to decompose: for its norm "
            "take conv_norm_bounds, for all values of its like on a torus padding='circular'"
        )
    found = np.zeros((len(kernel), prod(size), kernel.shape[1], prod(size)))
    for place in np.ndindex(kernel.shape[2:]):
        shift: NDArray[Any] = np.ones((1, 1))
        for side, u, width in zip(size, place, kernel.shape[2:], strict=True):
            shift = np.kron(shift, np.eye(side, k=u - (width - 1) // 2))
        outward, inward = np.nonzero(shift)
        found[:, outward, :, inward] = kernel[(slice(None), slice(None), *place)]
    return found.reshape(rows, columns)


def framed(kernel: Array, size: tuple[int, ...]) -> tuple[int, ...]:
    """Sides of a torus on which a picture with zeros beside it never sees its own other end."""
    return tuple(side + width // 2 for side, width in zip(size, kernel.shape[2:], strict=True))


def zero_padded(kernel: Array, size: tuple[int, ...]) -> LinearOperator:
    """What `matrix` is, as products."""
    frame, middle = framed(kernel, size), [(width - 1) // 2 for width in kernel.shape[2:]]
    transform = symbol(kernel, frame)
    forward = partial(torus, np.conj(transform), size, frame, middle)
    backward = partial(torus, np.swapaxes(transform, -1, -2), size, frame, [-u for u in middle])
    rows, columns = (channels * prod(size) for channels in kernel.shape[:2])
    return LinearOperator((rows, columns), matvec=forward, rmatvec=backward, dtype=float)


def torus(transform: Complex, size: tuple[int, ...], frame: tuple[int, ...], shift: list[int], x: Array) -> Array:
    """Pictures in a frame of zeros, times a matrix at each frequency, shifted, and cut out of their frame."""
    space = tuple(range(1, len(size) + 1))
    given = np.moveaxis(np.fft.rfftn(x.reshape(-1, *size), frame, axes=space), 0, -1)
    made = np.moveaxis((transform @ given[..., None])[..., 0], -1, 0)
    pictures = np.roll(np.fft.irfftn(made, frame, axes=space), shift, space)
    return pictures[(slice(None), *map(slice, size))].ravel()


def attained(operator: LinearOperator, seed: int) -> float:
    """A length that a vector of length 1 has after the operator, the largest that Lanczos iteration finds (ARPACK)."""
    shorter = operator if operator.shape[0] >= operator.shape[1] else operator.T
    start = np.random.default_rng(seed).standard_normal(shorter.shape[1])
    if len(start) > 1:
        start = eigsh(shorter.T @ shorter, k=1, v0=start, tol=1e-6)[1][:, 0]
    return float(np.linalg.norm(shorter.matvec(start)) / np.linalg.norm(start))
