"""The spectrum of a layer's weights, of any precision and size, in little more memory than one square matrix.

The weight (out, in, ..) is taken as a matrix (out, rest), its zeros included; a convolution's is its unfolded kernel, and
not the operator (`rmtlottery.spectra.conv`).
"""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.linalg import eigvalsh
from scipy.linalg.blas import dsyrk, ssyrk

from rmtlottery.refusal import Refusal

BLOCK = 2**22  # numbers of the weight that are held in the precision of the Gram matrix at a time
SYRK = {"float64": dsyrk, "float32": ssyrk}


def eigenvalues(weight: torch.Tensor, precision: str = "float64") -> np.ndarray:
    """Of W W^T on the short side, all min(out, rest) of them, ascending, none divided by a width; below 0 none is left.

    Right to 2e-14 of the largest, and with precision="float32" to 1e-5: a singular value below 1e-7 (3e-3) of the largest
    may be noise. Where that end matters, take `squared_singular_values`.
    """
    if precision not in SYRK:
        raise Refusal(f"precision = {precision!r} of a layer's spectrum is not known; take {' or '.join(SYRK)}")
    held = gram(short(weight), precision)
    if not np.isfinite(held.trace()):
        raise Refusal(f"a weight of shape {tuple(weight.shape)} has numbers that are not finite, or whose squares are not")
    return eigvalsh(held, overwrite_a=True, check_finite=False).clip(0)


def squared_singular_values(weight: torch.Tensor) -> np.ndarray:
    """The same by SVD, right to 1e-16 of the largest singular value, not of its square; 2 to 19 times as slow."""
    matrix = short(weight).double()
    if not matrix.isfinite().all():
        raise Refusal(f"a weight of shape {tuple(weight.shape)} has numbers that are not finite")
    return torch.linalg.svdvals(matrix).square().flip(0).cpu().numpy()


def short(weight: torch.Tensor) -> torch.Tensor:
    """A view of (fewer, more) numbers."""
    if weight.dim() < 2 or not weight.numel() or weight.is_complex():
        raise Refusal(
            f"a weight of {weight.dtype} and shape {tuple(weight.shape)} has no spectrum; take one with two axes or more"
        )
    matrix = weight.detach().flatten(1)
    return matrix if len(matrix) <= matrix.shape[1] else matrix.T


def gram(matrix: torch.Tensor, precision: str) -> np.ndarray:
    """The lower half of W W^T, the order of memory Fortran's, so that LAPACK works in place."""
    held = np.zeros((len(matrix), len(matrix)), precision, order="F")
    for block in blocks(matrix):
        part = block.to("cpu", getattr(torch, precision)).contiguous().numpy()
        held = SYRK[precision](1.0, part.T, beta=1.0, c=held, trans=1, lower=1, overwrite_c=1)
    return held


def blocks(matrix: torch.Tensor) -> Iterator[torch.Tensor]:
    """Some columns at a time."""
    yield from matrix.split(max(1, BLOCK // len(matrix)), dim=1)
