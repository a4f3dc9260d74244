"""The machine's own limits, measured when they are asked for: matrix products, and copies of memory."""

import statistics
from collections.abc import Callable, Sequence

import torch

from benchmarks._clock import Limit, Work, seconds
from rmtlottery import Spec
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.nets.products import product

SIDE = 2048  # of the square matrices that are multiplied
FLOATS = 2**26  # of the array that is copied, far more than caches hold
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
NAMES = {"fp32": "fp32 gemm", "bf16": "bf16 gemm"}


def product_rate(precision: str, side: int = SIDE) -> float:
    """FLOP/s of a product of large square matrices, by the quicker of the libraries at hand."""
    return max(rate(plain, precision, side), rate(product, precision, side))


def plain(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    return torch.mm(a[0], b[0], out=out[0])


def rate(multiply: Callable[..., torch.Tensor], precision: str, side: int = SIDE) -> float:
    a, b, out = torch.randn(3, 1, side, side).to(DTYPES[precision])
    return 2 * side**3 / sustained(lambda: multiply(a, b, out))


def copy_rate(floats: int = FLOATS) -> float:
    """Bytes/s of a copy, read and written."""
    source = torch.zeros(floats)
    target = torch.ones(floats)
    return 2 * source.nbytes / sustained(lambda: target.copy_(source))


def sustained(work: Work, runs: int = 5) -> float:
    """Median seconds, after one run uncounted."""
    work()
    return statistics.median(seconds(work) for _ in range(runs))


def products(levels: Sequence[Sequence[int]], spec: Spec, data: Dataset, precision: str = "fp32") -> Limit:
    """The matrix products of a whole training, of every seed, at the measured rate; all else would be free.

    Of each level, what each layer's product multiplies a sample by: its weights (of a convolution, times its pixels).
    Scores of held-out samples are taken in float32, whatever training is in.
    """
    learning, scoring = flops(levels, spec, data)

    def needed() -> float:
        return learning / product_rate(precision) + scoring / product_rate("fp32")

    return Limit(NAMES[precision], needed)


def flops(levels: Sequence[Sequence[int]], spec: Spec, data: Dataset) -> tuple[int, int]:
    """Of learning: forward, weights' and inputs' gradients, the last not in the first layer. Of scoring: forward."""
    passes = spec.schedule.epochs * len(spec.seeds)
    learnt, held_out = passes * len(data.train), passes * (len(data.validation) + len(data.test))
    learning = sum(6 * sum(layers) - 2 * layers[0] for layers in levels)
    scoring = sum(2 * sum(layers) for layers in levels)
    return learnt * learning, held_out * scoring


def described() -> str:
    """The rates in words."""
    gemm = ", ".join(f"{NAMES[precision]} {product_rate(precision) / 1e9:.3g} GFLOP/s" for precision in DTYPES)
    by_torch = f"torch.mm in fp32 {rate(plain, 'fp32') / 1e9:.3g}"
    return f"{gemm} ({by_torch}), memory {copy_rate() / 1e9:.3g} GB/s"
