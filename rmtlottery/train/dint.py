"""The search for the intrinsic dimension: runs where accuracy passes a threshold, and few elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.presets import label
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.directions import ambient, factors
from rmtlottery.train.fit import fit, planned
from rmtlottery.train.grid import grid

AROUND = (0.7, 0.85, 1.0, 1.2, 1.45)  # sizes, as factors of where a single seed crosses, at which all seeds are trained
STEP = 2.0


@dataclass
class Search:
    """Trains sizes of one Spec's chart, and remembers what the first seed reached with each."""

    spec: Spec
    root: str | Path | None = None
    with_: dict[str, Any] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)

    def train(self, dims: list[int], seeds: tuple[int, ...]) -> None:
        for dim, run in zip(sorted(set(dims)), grid(self.spec.but(seeds=seeds), dims, self.root, **self.with_), strict=True):
            self.runs[dim] = run

    def reached(self, dim: int) -> float:
        """The first seed's test accuracy after the last epoch; 0 of one that diverged."""
        if dim not in self.runs:
            self.train([dim], self.spec.seeds[:1])
        run, seed = self.runs[dim], self.spec.seeds[0]
        return float(run[seed, 0].metrics[-1]["test_accuracy"]) if run.status(seed, 0) == "done" else 0.0

    def reach_beyond(self, asked: float, least: int, most: int) -> None:
        """More sizes for all seeds, as long as the means of those that they have lie on one side of what is asked."""
        while True:
            means = {dim: mean_accuracy(run) for dim, run in self.runs.items() if len(run) == len(self.spec.seeds)}
            low, high = min(means, default=least), max(means, default=most)
            if means and means[low] >= asked and low > least:
                self.train([max(least, round(low * AROUND[0]))], self.spec.seeds)
            elif means and means[high] < asked and high < most:
                self.train([min(most, round(high / AROUND[0]))], self.spec.seeds)
            else:
                return


def dint(
    spec: Spec,
    root: str | Path | None = None,
    *,
    threshold: float = 0.9,
    local: bool = False,
    start: int | None = None,
    **with_: Any,
) -> list[Run]:
    """Runs around the size at which test accuracy passes `threshold` or, `local`, that share of the whole net's.

    One seed brackets it by doubling or halving from `start` (by default the root of the number of weights), then all
    seeds are trained at five sizes about where it crosses. `rl.tabulate("dint", runs)` has the estimate; a second call
    trains what is missing only. `with_`: net, data, and a unit's device, threads, precision.
    """
    if not 0 < threshold < 1:
        raise Refusal(f"threshold = {threshold:g} is no accuracy, and no share of one, between 0 and 1")
    spec = spec if spec.chart.kind != "full" else spec.but(chart="affine")
    spec = spec.but(levels=0)
    handed = {name: with_[name] for name in ("net", "data") if name in with_}
    network = planned(spec.but(chart="full"), **handed).network
    least, most = 1 + factors(spec.chart, network), ambient(network)
    whole = [direct(spec, root, with_)] if local else []
    asked = threshold * mean_accuracy(whole[0]) if local else threshold
    search = Search(spec, root, with_)
    place = bracketed(search.reached, asked, start or round(sqrt(most)), least, most)
    dims = {min(most, max(least, round(place * times))) for times in AROUND}
    search.train(sorted(dims), spec.seeds)
    search.reach_beyond(asked, least, most)
    return [*(search.runs[dim] for dim in sorted(search.runs)), *whole]


def direct(spec: Spec, root: str | Path | None, with_: dict[str, Any]) -> Run:
    """The same net, trained whole."""
    return fit(spec.but(chart="full", name=f"{label(spec)}-whole"), root, **with_)


def mean_accuracy(run: Run) -> float:
    last = run.metrics.groupby("seed")["test_accuracy"].last()
    return float(last.mean())


def bracketed(reached: Callable[[int], float], asked: float, start: int, least: int, most: int) -> float:
    """About where `reached` passes `asked`: between a size and twice it, interpolated in log d; or an end of the range."""
    before = size = max(least, min(start, most))
    passed = reached(size) >= asked
    while (reached(size) >= asked) == passed:
        further = max(least, round(size / STEP)) if passed else min(most, round(size * STEP))
        if further == size:
            return float(size)
        before, size = size, further
    low, high = sorted((before, size))
    share = (asked - reached(low)) / (reached(high) - reached(low))
    return float(low * (high / low) ** share)
