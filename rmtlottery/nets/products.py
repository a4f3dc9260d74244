"""Products of matrices, one or one a seed, by whichever library is quickest at their size.

On a CPU oneDNN multiplies in fp32 up to twice as fast as what torch.mm calls, but takes ten microseconds to begin.
`python -m benchmarks gemm` measures both.
"""

from functools import lru_cache

import torch
from torch import Tensor

LARGE = 2**20  # multiplications of one product from which seeds are taken one after another
DEEP, ROWS = 2**22, 64  # and those, of so many terms each, from which oneDNN's beginning is made up for
FUSED = {"tanh": "tanh", "linear": "none"}  # our names and oneDNN's, whose relu makes 0 of what is no number


def product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """a @ b of every seed."""
    seeds, rows, inner = a.shape
    size = rows * inner * b.shape[2]
    large, deep = size >= LARGE, size >= DEEP and inner >= ROWS
    if a.device.type != "cpu" or (seeds > 1 and not large):
        return torch.bmm(a, b) if out is None else out.copy_(torch.bmm(a, b))  # into rows apart it goes seed by seed
    out = a.new_empty(seeds, rows, b.shape[2]) if out is None else out
    for seed in range(seeds):
        if deep and a.dtype == torch.float32 and onednn(a.dtype):
            out[seed].copy_(torch.ops.mkldnn._linear_pointwise(a[seed], b[seed].mT, None, "none", [], ""))
        else:
            torch.mm(a[seed], b[seed], out=out[seed])
    return out


def affine(x: Tensor, weight: Tensor, bias: Tensor, phi: str) -> Tensor | None:
    """phi(x W^T + b) of every seed in one pass over its numbers; None where that does not pay, or phi has none."""
    large = x.shape[1] * weight[0].numel() >= LARGE
    if not large or x.device.type != "cpu" or phi not in FUSED or not onednn(x.dtype):
        return None
    xs = x.expand(len(weight), -1, -1)
    found = [torch.ops.mkldnn._linear_pointwise(*one, FUSED[phi], [], "") for one in zip(xs, weight, bias, strict=True)]
    return torch.stack(found) if len(found) > 1 else found[0].unsqueeze(0)


@lru_cache
def onednn(dtype: torch.dtype) -> bool:
    """Whether this build of torch hands such products to oneDNN, and this processor can make them."""
    x, weight, bias = (torch.ones(shape, dtype=dtype) for shape in ((2, 3), (4, 3), (4,)))
    try:
        found = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    except (AttributeError, RuntimeError):
        return False
    return bool((found == 4).all())
