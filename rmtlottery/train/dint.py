"""The search for the intrinsic dimension: runs where accuracy passes a threshold, and few elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from rmtlottery.charts.drawn import factors
from rmtlottery.charts.flat import total
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets import parts
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.directions import ONE_SIZE
from rmtlottery.train.fit import fit, planned
from rmtlottery.train.grid import grid

AROUND = (0.7, 0.85, 1.0, 1.2, 1.45)  # sizes, as factors of where a single seed crosses, at which all seeds are trained
STEP = 2.0
SPLITS = ("train", "validation", "test")


@dataclass
class Search:
    """Trains sizes of one Spec's chart, and remembers what came of them. What diverged reached 0."""

    spec: Spec
    split: str = "test"
    root: str | Path | None = None
    handed: dict[str, Any] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)

    def train(self, dims: set[int]) -> None:
        """All seeds at these sizes."""
        self.runs |= dict(zip(sorted(dims), grid(self.spec, dims, self.root, **self.handed), strict=True))
        self.whole |= dims

    def reached(self, dim: int) -> float:
        """By the first seed."""
        if dim not in self.runs:
            self.runs[dim] = grid(self.spec.but(seeds=self.spec.seeds[:1]), [dim], self.root, **self.handed)[0]
        return accuracy(self.runs[dim], self.spec.seeds[:1], self.split)

    def reach_beyond(self, asked: float, least: int, most: int) -> None:
        """More sizes, as long as the means of those that all seeds have lie on one side of what is asked."""
        while True:
            low, high = min(self.whole), max(self.whole)
            if accuracy(self.runs[low], self.spec.seeds, self.split) >= asked and low > least:
                self.train({max(least, min(low - 1, round(low * AROUND[0])))})
            elif accuracy(self.runs[high], self.spec.seeds, self.split) < asked and high < most:
                self.train({min(most, max(high + 1, round(high / AROUND[0])))})
            else:
                return


def dint(
    spec: Spec,
    root: str | Path | None = None,
    *,
    threshold: float = 0.9,
    local: bool = False,
    split: str = "test",
    start: int | None = None,
    **handed: Any,
) -> list[Run]:
    """Runs around the size at which accuracy, of the test or another `split`, passes `threshold` or, `local`, that share of
    the whole net's.

    The whole net is trained first, by one seed, or locally by all. One seed brackets the size by doubling or halving from
    `start` (by default the root of the number of weights), then all seeds are trained at five sizes about where it crosses.
    `rl.tabulate("dint", tickets)` has the estimate; a second call trains what is missing only. `handed`: net, data, and a
    unit's device, threads, precision.
    """
    check(threshold, split, spec)
    spec = spec.but(levels=0) if spec.chart.kind != "full" else spec.but(levels=0, chart="affine")
    given = {name: handed[name] for name in ("net", "data") if name in handed}
    network = planned(spec.but(chart="full"), **given).network
    least, most = 1 + factors(spec.chart, network.shapes), total(network.shapes)
    least = max(least, spec.chart.subnets) if isinstance(spec.chart, parts.Sum) else least
    seeds = spec.seeds if local else spec.seeds[:1]
    direct = fit(whole(spec).but(seeds=seeds), root, **handed)
    asked = threshold * accuracy(direct, seeds, split) if local else threshold
    check_reach(accuracy(direct, seeds, split), asked, split)
    search = Search(spec, split, root, handed)
    place = bracketed(search.reached, asked, start or round(sqrt(most)), least, most)
    search.train({min(most, max(least, round(place * times))) for times in AROUND})
    search.reach_beyond(asked, least, most)
    return [*(search.runs[dim] for dim in sorted(search.runs)), direct]


def whole(spec: Spec) -> Spec:
    """The same, trained whole."""
    return spec.but(chart="full", name=f"{spec.name}-whole" if spec.name else "")


def accuracy(run: Run, seeds: tuple[int, ...], split: str) -> float:
    """Accuracy after the last epoch, the mean over these seeds; 0 of one that diverged."""
    done = [seed for seed in seeds if run.status(seed, 0) == "done"]
    return sum(float(run[seed, 0].metrics[-1][f"{split}_accuracy"]) for seed in done) / len(seeds)


def check(threshold: float, split: str, spec: Spec) -> None:
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if split == "validation" and not spec.data.validation:
        raise Refusal("no validation part is held out, so that nothing is known of it: take another split")
    if isinstance(spec.chart, parts.Principal):
        raise Refusal(ONE_SIZE)
    if not 0 < threshold < 1:
        raise Refusal(f"threshold = {threshold:g} is no accuracy, and no share of one, between 0 and 1")


def check_reach(direct: float, asked: float, split: str) -> None:
    """Refuses a threshold that the whole net does not reach."""
    if direct < asked:
        raise Refusal(
            f"the net trained whole reaches {direct:.1%} {split} accuracy, not {asked:.1%}: lower the threshold, ask for a "
            "share of what it reaches (local), or train it better"
        )


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
