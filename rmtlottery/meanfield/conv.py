"""How lengths pass through convolutions, pixel by pixel, and how fast a picture's patterns fade [Xiao et al. 2018].

Kernel k x k, weights of variance sigma_w^2 / (k^2 C_in). With circular padding an even picture follows the dense map. With
zero padding a corner is not a centre: at a 3 x 3 kernel it sees 4 pixels of 9, an edge 6; those outside contribute 0, *not*
V(0), and the sum is still divided by the full k^2. So sigma_w^2 is effectively 4/9, 6/9 and 1 of itself there, the border
lies far below the centre, and the shadow moves inward by k // 2 pixels a layer.
"""

from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmtlottery.meanfield.activations import activation
from rmtlottery.meanfield.gaussian import Array, lengths, whole
from rmtlottery.meanfield.maps import Phi, sigmas

PADDINGS = ("zero", "circular", "none")
Kernel = int | ArrayLike


def conv_length_map(
    q: ArrayLike,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    phi: Phi = "tanh",
    *,
    kernel: Kernel = 3,
    padding: str = "zero",
    stride: int = 1,
) -> Array:
    """sigma_b^2 + sigma_w^2 window_mean(V(q)): q (..., H, W), of each pixel's pre-activations, to (..., H', W').

    `kernel` is k (Gaussian weights) or a (k, k) array that says where in the kernel the weights' variance lies
    (`delta_kernel(k)` for delta-orthogonal weights). Sigmas broadcast against (..., H', W'). A *first* layer takes
    sigma_b^2 + sigma_w^2 window_mean(mean over channels of x^2) instead.
    """
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    seen = window_mean(activation(phi).V(picture(q)), kernel, padding=padding, stride=stride)
    return sigma_w**2 * seen + sigma_b**2


def conv_trajectory(
    q1: ArrayLike,
    depth: int,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    phi: Phi = "tanh",
    *,
    kernel: Kernel = 3,
    padding: str = "zero",
) -> Array:
    """q^1 .. q^depth, (depth, ..., H, W), the first row q1 itself; layers that change the size take `conv_length_map`."""
    whole(depth, "depth")
    if padding == "none":
        raise ValueError("padding = 'none' shrinks the picture in every layer: repeat conv_length_map instead")
    rows = [np.broadcast_to(picture(q1), np.broadcast_shapes(np.shape(q1), np.shape(sigma_w), np.shape(sigma_b)))]
    for _ in range(depth - 1):
        rows.append(conv_length_map(rows[-1], sigma_w, sigma_b, phi, kernel=kernel, padding=padding))
    return np.stack(rows)


def conv_chi(
    q: ArrayLike, sigma_w: ArrayLike, phi: Phi = "tanh", *, kernel: Kernel = 3, padding: str = "zero", stride: int = 1
) -> Array:
    """sigma_w^2 reach D(q): the mean squared gain of a perturbation at each pixel, summed over the pixels it gets to.

    Squares are means over channels. It belongs to the pixel that is *read*: with a stride or a lopsided kernel a pixel is
    read more or less often than its like in the next picture reads.
    """
    weight, _ = sigmas(sigma_w, 0.0)
    q = picture(q)
    return weight**2 * reach(q.shape[-2:], kernel, padding=padding, stride=stride) * activation(phi).D(q)


def window_mean(field: ArrayLike, kernel: Kernel = 3, *, padding: str = "zero", stride: int = 1) -> Array:
    """What a kernel sees of a field (..., H, W): its mean over the window, weighted by the kernel's shares.

    Not flipped (output a reads pixel a + beta, as in all deep learning); pixels outside count as 0, in the sum only.
    """
    shares, field = kernel_shares(kernel), picture(field, "field")
    rows, columns = (taps(size, len(shares), padding, stride) for size in field.shape[-2:])
    across = np.tensordot(field, columns, axes=(-1, -1))  # (..., H, k, W')
    down = np.tensordot(rows, shares, axes=(0, 0))  # (H', H, k)
    return np.swapaxes(np.tensordot(across, down, axes=((-3, -2), (1, 2))), -1, -2)


def reach(size: tuple[int, ...], kernel: Kernel = 3, *, padding: str = "zero", stride: int = 1) -> Array:
    """How much of the kernel finds each pixel (H, W) at one place or another: 1 inside, 4/9 in a corner at 3 x 3."""
    shares = kernel_shares(kernel)
    rows, columns = (taps(side, len(shares), padding, stride) for side in size)
    return np.einsum("ij,iah,jbw->hw", shares, rows, columns, optimize=True)


def taps(size: int, k: int, padding: str, stride: int) -> Array:
    """Which pixel each of a kernel's k taps reads, along one side: (k, outputs, size), ones and zeros."""
    if padding not in PADDINGS:
        near = get_close_matches(str(padding), PADDINGS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(PADDINGS)}"
        raise ValueError(f"unknown padding {padding!r}: {hint}")
    whole(stride, "stride")
    border = 0 if padding == "none" else k // 2
    if size + 2 * border < k:
        raise ValueError(f"a kernel of {k} does not fit into a picture of {size} without padding")
    outputs = np.arange(0, size + 2 * border - k + 1, stride)
    read = outputs + np.arange(k)[:, None] - border
    read = read % size if padding == "circular" else read
    return (read[..., None] == np.arange(size)).astype(float)


def delta_kernel(k: int = 3) -> Array:
    """Delta-orthogonal weights: all of the variance at the kernel's middle, so that no pixel sees another."""
    shares = np.zeros_like(kernel_shares(k))
    shares[k // 2, k // 2] = 1.0
    return shares


def kernel_shares(kernel: Kernel) -> Array:
    """Which part of the weights' variance lies where in the kernel: (k, k), summing to 1; 1/k^2 each if `kernel` is k."""
    shares = np.asarray(kernel, float)
    if shares.ndim == 0:
        k = int(shares) if np.isfinite(shares) else 0
        if k != shares or k < 1 or k % 2 == 0:
            raise ValueError(f"kernel = {kernel!r} is not an odd whole number: an even one has no middle")
        return np.full((k, k), 1 / k**2)
    if shares.ndim != 2 or shares.shape[0] != shares.shape[1] or len(shares) % 2 == 0:
        raise ValueError(f"a kernel of shape {shares.shape} is not (k, k) with k odd")
    if not np.all(shares >= 0) or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(f"the kernel's shares sum to {shares.sum():.6g}, the least {shares.min():.3g}: none < 0, sum 1")
    return shares


def fourier_modes(size: tuple[int, int], kernel: Kernel = 3) -> NDArray[np.inexact]:
    """What one layer leaves of each pattern e^{i omega . a} of a circular picture (H, W), before the factor chi.

    Times chi_q it is the eigenvalue of the two-pixel covariance map about its fixed point for one pixel's length, times
    chi_c for the covariance of two pixels at a fixed distance, or of two pictures; omega = 2 pi (m/H, n/W) in the order
    of `np.fft`. The uniform pattern keeps all (1); delta-orthogonal weights keep every pattern, which puts all of them at
    the edge together [Xiao et al. 2018]. Real where the shares are even in beta; else complex, and |.| fades.
    """
    shares = kernel_shares(kernel)
    if np.shape(size) != (2,) or min(size) < 1:
        raise ValueError(f"size = {size} is not (height, width) of a picture")
    beta = np.arange(len(shares)) - len(shares) // 2
    rows, columns = (np.exp(1j * np.multiply.outer(2 * np.pi * np.fft.fftfreq(side), beta)) for side in size)
    factors = rows @ shares @ columns.T
    return factors.real if np.array_equal(shares, shares[::-1, ::-1]) else factors


def mode_depth_scale(modes: ArrayLike, chi: ArrayLike) -> Array:
    """-1/log|factor chi|: layers over which a pattern falls by e; infinite at 1, negative where it grows, 0 if erased."""
    size = np.abs(np.asarray(modes)) * lengths(chi, "chi")
    size = np.where(np.abs(size - 1) <= 1e-12, 1.0, np.where(size <= 1e-15, 0.0, size))
    with np.errstate(divide="ignore"):
        return np.where(size == 1, np.inf, -1 / np.log(np.where(size == 1, 0.5, size)))


def picture(q: ArrayLike, name: str = "q") -> Array:
    """Lengths (..., H, W), refused where there is no picture."""
    held = lengths(q, name)
    if held.ndim < 2 or 0 in held.shape[-2:]:
        raise ValueError(f"{name} of shape {held.shape} is no picture: its last two axes are height and width")
    return held
