"""A lock is one process's at a time."""

import subprocess
import sys

import pytest

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.lock import locked


def test_it_is_held_against_others_and_let_go(tmp_path):
    with locked(tmp_path / "a" / "lock", "held"):
        code = f"import fcntl; fcntl.flock(open({str(tmp_path / 'a' / 'lock')!r}), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode != 0
    with locked(tmp_path / "a" / "lock", "held"):
        pass


def test_who_finds_it_held_is_refused_with_the_words_given(tmp_path):
    with (
        locked(tmp_path / "lock", "held"),
        pytest.raises(Refusal, match="try later"),
        locked(tmp_path / "lock", "try later"),
    ):
        pass


def test_who_names_no_refusal_waits(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from rmtlottery.tickets.lock import locked\n"
        f"with locked(Path({str(tmp_path / 'lock')!r})):\n"
        "    print('held', flush=True); time.sleep(0.5); print('let go', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with locked(tmp_path / "lock"):
            assert holder.stdout.readline() == "let go\n"
