"""Products in float32 at the sizes of an FCNet's step, as `rmtlottery.nets.products` makes them, against torch.mm."""

from collections.abc import Iterator

import torch

from benchmarks._clock import Limit, Row, pairs
from benchmarks._machine import NAMES, product_rate
from rmtlottery.nets.products import product

DIFFERS = "Nothing but the library: both write into the same tensor, in float32 throughout (a test holds ours to 5e-7)."
CASES = {"first layer": (128, 3072, 256), "its gradient": (256, 128, 3072), "hidden layer": (128, 256, 256)}
TIMES = 50


def measure() -> Iterator[Row]:
    for case, (rows, inner, columns) in CASES.items():
        yield compare(f"{case} ({rows} x {inner} x {columns})", rows, inner, columns)


def compare(case: str, rows: int, inner: int, columns: int) -> Row:
    a, b, out = torch.randn(1, rows, inner), torch.randn(1, inner, columns), torch.empty(1, rows, columns)
    flops = 2 * rows * inner * columns * TIMES
    limit = Limit(NAMES["fp32"], lambda: flops / product_rate("fp32"))
    return pairs(
        case,
        lambda: [product(a, b, out) for _ in range(TIMES)],
        lambda: [torch.mm(a[0], b[0], out=out[0]) for _ in range(TIMES)],
        limit=limit,
    )
