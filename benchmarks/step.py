"""Steps of the FCNet under masks, whole or of survivors alone, against autograd and torch.optim.Adam on the same samples."""

from collections.abc import Callable, Iterator

import torch
from torch.nn.functional import cross_entropy

from benchmarks import _ordinary, fcnet
from benchmarks._clock import Limit, Row, pairs
from benchmarks._machine import NAMES, product_rate
from rmtlottery import Spec
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.datasets.given import given
from rmtlottery.train.level import begin
from rmtlottery.train.material import material
from rmtlottery.train.step import Step
from rmtlottery.train.trial import level_of
from rmtlottery.work.unit import Unit

DIFFERS = (
    "Steps alone: nothing is scored or written. Ours also gathers its samples by index, and keeps each step's loss and "
    "right answers; the other takes one batch again and again. The limit counts products of whole weights."
)
STEPS = 60
HALF, FEW, FEWEST = 0.5, 0.1, 0.036


def measure() -> Iterator[Row]:
    part, data = given(fcnet.samples())
    spec = fcnet.SPEC.but(data=part)
    for density, precision in ((HALF, "fp32"), (HALF, "bf16"), (FEW, "fp32"), (FEWEST, "fp32")):
        yield pairs(
            f"density {density:g}, {precision}",
            ours(spec, data, density, precision),
            other(spec, data, density, precision),
            limit=limit(spec, data, precision),
        )


def limit(spec: Spec, data: Dataset, precision: str) -> Limit:
    first, *rest = _ordinary.weights(spec, data)
    flops = STEPS * spec.schedule.batch * (4 * first + 6 * sum(rest))
    return Limit(NAMES[precision], lambda: flops / product_rate(precision))


def ours(spec: Spec, data: Dataset, density: float, precision: str) -> Callable[[], None]:
    unit = Unit((0,), threads=torch.get_num_threads(), precision=precision, sparse=0.15)
    level = level_of(material(spec, None, data), unit, density)
    step = Step(level, begin(level, [0]))

    def steps() -> None:
        step.enter(0, 0)
        for _ in range(STEPS):
            step.take(spec.schedule.batch)

    return steps


def other(spec: Spec, data: Dataset, density: float, precision: str) -> Callable[[], None]:
    net = _ordinary.network(spec, data)
    for layer in _ordinary.layers(net):
        layer.mask = (torch.rand_like(layer.weight) < density).float()
    optimiser = torch.optim.Adam(net.parameters(), lr=spec.optimiser.lr)
    x, y = data.train.x[: spec.schedule.batch], data.train.y[: spec.schedule.batch]

    def steps() -> None:
        for _ in range(STEPS):
            optimiser.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits = net(x)
            cross_entropy(logits.float(), y).backward()
            optimiser.step()

    return steps
