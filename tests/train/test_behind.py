"""What is handed over is done in order, and a fault is not swallowed."""

import threading
import time
from pathlib import Path

import pytest
import torch

from rmtlottery.tickets.progress import Progress
from rmtlottery.train.behind import Behind
from rmtlottery.work.machine import settled


def test_the_one_who_hands_over_does_not_wait():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        go_on.wait(10)
        done.append("slow")

    with Behind() as behind:
        behind.hand(slow)
        begun.wait(10)
        assert done == []
        go_on.set()
        behind.hand(lambda: done.append("next"))
    assert done == ["slow", "next"]


def broken():
    raise OSError("disk full")


def test_a_fault_is_raised_at_the_next_hand_over():
    with Behind() as behind:
        behind.hand(broken)
        with pytest.raises(OSError, match="disk full"):
            behind.hand(lambda: pytest.fail("after a fault"))


def test_saving_behind_a_training_leaves_it_its_threads(tmp_path):
    """A second crew of torch's threads would make both wait: one thread is added, the one that writes."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("threads are counted in /proc/self/task, which this system lacks")
    progress = Progress(tmp_path, "unit")
    tensors = {"coordinates": torch.randn(3, 400_000), "slot/mean": torch.randn(3, 400_000)}
    with settled(2), Behind() as behind:
        tensors["coordinates"].add_(1)
        before = len(list(tasks.iterdir()))
        behind.hand(lambda: progress.save(0, {"step": 1}, tensors))
        behind.wait()
        assert len(list(tasks.iterdir())) == before + 1
    assert progress.load(0)[0]["step"] == 1


def test_or_at_the_end():
    with pytest.raises(OSError, match="disk full"), Behind() as behind:
        behind.hand(broken)


def interrupted(work):
    with Behind() as behind:
        behind.hand(work)
        raise KeyboardInterrupt


def test_what_was_handed_over_is_done_though_training_was_broken_off():
    done = []

    def slow():
        time.sleep(0.3)
        done.append("saved")

    with pytest.raises(KeyboardInterrupt):
        interrupted(slow)
    assert done == ["saved"]


def test_what_broke_off_the_training_is_what_is_raised():
    with pytest.raises(KeyboardInterrupt):
        interrupted(broken)
