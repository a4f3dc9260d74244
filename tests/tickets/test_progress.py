"""A checkpoint is of one moment or of none, and one process at a time trains a unit."""

import subprocess
import sys

import pytest
import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.progress import Progress

STATE = {"coordinates": torch.arange(4.0)}


def test_what_is_saved_comes_back(tmp_path):
    Progress(tmp_path, "unit").save(3, {"step": 7}, STATE)
    facts, tensors = Progress(tmp_path, "unit").load(3)
    assert facts["step"] == 7
    assert torch.equal(tensors["coordinates"], STATE["coordinates"])


def test_nothing_is_there_at_first_and_after_clearing(tmp_path):
    progress = Progress(tmp_path, "unit")
    assert progress.load(3) is None
    progress.save(3, {}, STATE)
    progress.clear(3)
    assert progress.load(3) is None


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-4] + b"\xff" * 4, lambda b: b"", lambda b: b"\x80\x04junk"]
)
def test_a_damaged_checkpoint_is_as_good_as_none(tmp_path, damage):
    progress = Progress(tmp_path, "unit")
    progress.save(3, {"step": 7}, STATE)
    progress.path(3).write_bytes(damage(progress.path(3).read_bytes()))
    assert progress.load(3) is None


def test_levels_do_not_mix(tmp_path):
    progress = Progress(tmp_path, "unit")
    progress.save(3, {"step": 7}, STATE)
    progress.clear(2)
    assert progress.load(2) is None
    assert progress.load(3)


def test_a_second_process_is_refused_while_the_first_trains(tmp_path):
    code = (
        "from rmtlottery.tickets.progress import Progress; from pathlib import Path\n"
        f"with Progress(Path({str(tmp_path)!r}), 'u').locked(): pass"
    )
    with Progress(tmp_path, "u").locked():
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is being trained by another process" in refused.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_units_do_not_lock_each_other(tmp_path):
    with Progress(tmp_path, "a").locked(), Progress(tmp_path, "b").locked():
        assert len(list((tmp_path / "progress").glob("*.lock"))) == 2


def test_the_lock_is_let_go_when_training_fails(tmp_path):
    with pytest.raises(Refusal, match="boom"), Progress(tmp_path, "a").locked():
        raise Refusal("boom")
    with Progress(tmp_path, "a").locked():
        pass
