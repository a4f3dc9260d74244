"""The FCNet at density .04, where steps may be sparse, against an ordinary DataLoader loop with masks.

One cut removes .96 of each layer and .8 of the last; float32.
"""

import tempfile
from collections.abc import Iterator

import rmtlottery as rl
from benchmarks import _ordinary, _ours, fcnet
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery.datasets.dataset import Dataset
from rmtlottery.datasets.given import given

DIFFERS = (
    f"{fcnet.DIFFERS} The limit counts the kept weights only, as if sparse products ran at the rate of dense ones. "
    "Of level 1 alone, ours also copies the ticket that it starts from to disk."
)
SPEC = fcnet.SPEC.but(levels=1, rate=0.96, last_rate=0.8)


def measure() -> Iterator[Row]:
    part, data = given(fcnet.samples())
    spec = SPEC.but(data=part)
    whole = _ordinary.weights(spec, data)
    yield pairs(
        "both levels",
        lambda: _ours.train(spec),
        lambda: _ordinary.train_levels(_ordinary.network(spec, data), spec, data),
        limit=products([whole, kept(whole)], spec, data),
    )
    yield level_one(spec, data)


def level_one(spec: rl.Spec, data: Dataset) -> Row:
    """Both start from the same ticket, made beforehand."""
    with tempfile.TemporaryDirectory() as root:
        ticket = rl.fit(spec, root)[0, 1]
        return pairs(
            "level 1 alone",
            lambda: _ours.train(spec, start=ticket),
            lambda: _ordinary.train(_ordinary.from_ticket(ticket, spec, data), spec, data),
            limit=products([kept(_ordinary.weights(spec, data))], spec, data),
        )


def kept(weights: list[int]) -> list[int]:
    """Of each layer, after the cut."""
    rates = [SPEC.prune.rate] * (len(weights) - 1) + [SPEC.prune.last_rate]
    return [number - round(rate * number) for number, rate in zip(weights, rates, strict=True)]
