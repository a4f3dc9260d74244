"""What is handed over is done in order, and a fault is not swallowed."""

import threading

import pytest

from rmtlottery.train.behind import Behind


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


def test_or_at_the_end():
    with pytest.raises(OSError, match="disk full"), Behind() as behind:
        behind.hand(broken)


def interrupted(work):
    with Behind() as behind:
        behind.hand(work)
        raise KeyboardInterrupt


def test_what_was_handed_over_is_done_though_training_was_broken_off():
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("saved"))
    assert done == ["saved"]


def test_what_broke_off_the_training_is_what_is_raised():
    with pytest.raises(KeyboardInterrupt):
        interrupted(broken)
