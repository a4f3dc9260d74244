"""One progress bar a run, off when nobody looks."""

import sys
from typing import Self

from rmtlottery.train.level import Level
from rmtlottery.train.state import State


class Bar:
    """Steps of all levels of all units; the postfix shows the level and its latest mean accuracy."""

    def __init__(self, name: str, steps_a_unit: int, units: int) -> None:
        from tqdm import tqdm

        self.steps_a_unit, self.done, self.fresh = steps_a_unit, 0, True
        total, off = steps_a_unit * units, not sys.stderr.isatty()
        self.bar = tqdm(total=total, desc=name, unit="step", disable=off, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self.bar.close()

    def step(self, level: Level, state: State) -> None:
        here = self.done * self.steps_a_unit + level.number * level.last_step + state.step
        if self.fresh:
            self.bar.n = self.bar.initial = here - 1
        self.fresh = False
        self.bar.update(here - self.bar.n)
        if state.step % level.steps_an_epoch == 0 and state.training:
            self.bar.set_postfix(level=level.number, accuracy=f"{latest_accuracy(state):.3f}", refresh=False)

    def unit_done(self) -> None:
        self.done += 1
        self.bar.update(self.done * self.steps_a_unit - self.bar.n)


def latest_accuracy(state: State) -> float:
    """Mean over the seeds, of the validation set if there is one."""
    rows = [state.rows[place][-1] for place in state.training]
    name = "validation_accuracy" if "validation_accuracy" in rows[0] else "test_accuracy"
    return float(sum(row[name] for row in rows)) / len(rows)
