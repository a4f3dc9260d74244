"""Ctrl-C is heard between two steps; a second one at once."""

import os
import signal
import threading

import pytest

from rmtlottery.train.interrupt import between_steps


def test_the_first_only_raises_a_flag_and_the_second_interrupts():
    with pytest.raises(KeyboardInterrupt), between_steps() as asked:  # noqa: PT012
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        os.kill(os.getpid(), signal.SIGINT)


def test_the_old_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with between_steps():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_than_the_main_one_leaves_signals_alone():
    before, heard = signal.getsignal(signal.SIGINT), []

    def inside():
        with between_steps() as asked:
            heard.append((asked(), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert heard == [(False, True)]
