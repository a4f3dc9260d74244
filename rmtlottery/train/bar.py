"""One progress bar a run, off when nobody looks."""

import sys

from rmtlottery.train.loop import Level
from rmtlottery.train.state import State


class Bar:
    """Steps of all levels of all units; the postfix shows the level and its latest mean accuracy."""

    def __init__(self, name: str, total: int) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, desc=name, unit="step", disable=not sys.stderr.isatty(), dynamic_ncols=True)
        self.before = 0
        self.fresh = True

    def __call__(self, level: Level, state: State) -> None:
        here = self.before + level.number * level.last_step + state.step
        if self.fresh:
            self.bar.n = self.bar.initial = here - 1
            self.fresh = False
        self.bar.update(here - self.bar.n)
        if state.step % level.steps_an_epoch == 0 and state.seeds:
            self.bar.set_postfix(level=level.number, accuracy=f"{latest_accuracy(state):.3f}", refresh=False)

    def close(self) -> None:
        self.bar.close()


def latest_accuracy(state: State) -> float:
    """Mean over the seeds, of the validation set if there is one."""
    rows = [state.rows[seed][-1] for seed in state.seeds]
    return sum(row.get("validation_accuracy", row["test_accuracy"]) for row in rows) / len(rows)
