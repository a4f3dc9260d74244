"""Steps in a subspace by Fastfood over all weights, against Fastfood tensor by tensor; its transform; every kind; grids."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.nn.functional import cross_entropy

from benchmarks import _ordinary, step
from benchmarks._by_tensor import ByTensor, butterfly
from benchmarks._clock import Row, pairs
from rmtlottery import Spec, fit
from rmtlottery.charts.hadamard import hadamard
from rmtlottery.charts.projections import projection
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.datasets.given import given
from rmtlottery.train.grid import grid

DIFFERS = (
    "Steps alone, nothing is scored or written: ours also gathers its samples by index and keeps losses and right answers. "
    "The other is autograd through a module and torch.optim.Adam; its P are other matrices of the same law, one a tensor. "
    "Grids are whole runs, written to disk: all sizes and seeds as one program against one run after another, ours both."
)
SAMPLES = 11_000
NETS = {"D = 199,210, d = 750": ("2x200", 750), "D = 1,003,690, d = 10,000": ("2x680", 10_000)}
AMBIENT, DIM = 199_210, 750
IMPLICIT = ("sparse", "countsketch", "fastfood", "fastfood_block", "fastjl")
SMALL = {"D = 2,089": "28", "D = 685": "9"}
SIZES, SEEDS = (20, 40, 60, 80, 100, 120, 140, 160), tuple(range(8))


def measure() -> Iterator[Row]:
    for case, (widths, dim) in NETS.items():
        spec, data = pictures(widths, dim)
        yield pairs(f"step, {case}", step.ours(spec, data, 1.0, "fp32"), other(spec, data, dim))
    for bits in (18, 20):
        x = torch.randn(1 << bits)
        yield pairs(f"transform of 2^{bits}", lambda x=x: hadamard(x), lambda x=x: butterfly(x), runs=15)
    dense = there_and_back("dense")
    for kind in IMPLICIT:
        yield pairs(f"P and its adjoint, {kind}", there_and_back(kind), dense)
    for case, widths in SMALL.items():
        yield grids(case, widths)


def pictures(widths: str, dim: int) -> tuple[Spec, Dataset]:
    """As many features, samples a step and classes as MNIST has."""
    stream = torch.Generator().manual_seed(0)
    x, y = torch.randn(SAMPLES, 784, generator=stream), torch.randint(10, (SAMPLES,), generator=stream)
    part, data = given((x[:-1000], y[:-1000], x[-1000:], y[-1000:]))
    spec = Spec().but(data=part, net={"widths": widths}, levels=0)
    return spec.but(chart={"kind": "affine", "dim": dim}), data


def other(spec: Spec, data: Dataset, dim: int) -> Callable[[], None]:
    net = ByTensor(_ordinary.network(spec, data), dim)
    optimiser = torch.optim.Adam(net.parameters(), lr=spec.optimiser.lr)
    x, y = data.train.x[: spec.schedule.batch], data.train.y[: spec.schedule.batch]

    def steps() -> None:
        for _ in range(step.STEPS):
            optimiser.zero_grad()
            cross_entropy(net(x), y).backward()
            optimiser.step()

    return steps


def there_and_back(kind: str) -> Callable[[], None]:
    """Ten times P theta, and P^T g; the other side holds P as a matrix."""
    made = projection(kind, AMBIENT, DIM, 0)
    theta, g = torch.randn(DIM), torch.randn(AMBIENT)

    def run() -> None:
        for _ in range(10):
            made.apply(theta)
            made.adjoint(g)

    return run


def grids(case: str, widths: str) -> Row:
    """Sixty-four runs on the digits: eight sizes, eight seeds."""
    spec = Spec().but(net={"widths": widths}, chart="affine", levels=0, epochs=10, batch=32, lr=1e-2)
    threads = torch.get_num_threads()

    def together() -> None:
        with TemporaryDirectory() as root:
            grid(spec.but(seeds=SEEDS), SIZES, root, threads=threads)

    def one_by_one() -> None:
        with TemporaryDirectory() as root:
            for dim in SIZES:
                for seed in SEEDS:
                    fit(spec.but(dim=dim, seeds=(seed,)), Path(root) / str(seed), threads=threads)

    return pairs(f"grid of 64, {case}", together, one_by_one)
