"""Pairs: the arithmetic, on a clock that is told what to show."""

import pytest

from benchmarks import _clock
from benchmarks._clock import Limit, alone, pairs


@pytest.fixture
def clock(monkeypatch):
    """A clock that work moves."""

    class Clock:
        now = 0.0

        def work(self, *durations):
            waiting = iter(durations)

            def spend():
                self.now += next(waiting)

            return spend

    held = Clock()
    monkeypatch.setattr(_clock.time, "perf_counter", lambda: held.now)
    return held


def test_the_first_run_is_not_counted_and_ratios_are_those_of_pairs(clock):
    row = pairs("x", clock.work(100, 1, 2, 4), clock.work(900, 3, 2, 20), runs=3)
    assert row == {"case": "x", "ours_s": 2, "other_s": 3, "ratio": 3, "ratio_least": 1, "ratio_largest": 5, "pairs": 3}


def test_sides_take_turns():
    turns = []
    pairs("x", lambda: turns.append("ours"), lambda: turns.append("other"), runs=2)
    assert turns == ["ours", "other"] * 3


def test_the_limit_is_measured_around_every_pair_and_taken_as_median(clock):
    measured = iter([1.0, 9.0, 2.0])
    row = pairs("x", clock.work(0, 4, 4), clock.work(0, 8, 8), 2, Limit("sgemm", lambda: next(measured)))
    assert (row["limit"], row["limit_s"], row["fraction"]) == ("sgemm", 2.0, 0.5)
    assert next(measured, None) is None


def test_alone_is_a_median_after_a_first_run(clock):
    assert alone("x", clock.work(50, 1, 7, 2), runs=3) == {"case": "x", "ours_s": 2}
