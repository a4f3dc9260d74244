"""Killed, interrupted, out of room: nothing finished is lost, and the end is the same to the bit."""

import json
import os
import random
import resource
import shutil
import signal
import time

import pytest
import torch

import rmtlottery as rl
from rmtlottery.tickets import disk
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.progress import Progress
from rmtlottery.train import material, saving
from tests.commands import command, start

WORDS = ["first", "--widths", "40,30", "--epochs", "12", "--batch", "20", "--levels", "3", "--rewind", "9", "--threads", "1"]
NAME = "first-widths=40,30-epochs=12-batch=20-levels=3-rewind=9"


def hashes(run):
    return {(ticket.seed, ticket.level): fingerprint(ticket.weights) for ticket in run}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    assert command("train", *WORDS, "--root", root)[0] == 0
    return rl.Run(root / NAME)


def eager_to_save(tmp_path, wait):
    """A command line that trains like ours but saves its progress every `wait` seconds."""
    path = tmp_path / "sitecustomize.py"
    path.write_text(
        f"import os\nif os.environ.get('EAGER'):\n    from rmtlottery.train import saving\n    saving.SAVE_EVERY = {wait}\n"
    )
    before = os.environ.get("PYTHONPATH", "")
    return {"EAGER": "1", "PYTHONPATH": f"{tmp_path}{os.pathsep}{before}"}


@pytest.mark.parametrize("level", range(3))
def test_killed_at_a_random_moment_it_ends_with_the_same_bits(uninterrupted, tmp_path, level):
    """While it trains `level` or begins the next one, of four."""
    process = start("train", *WORDS, "--root", tmp_path, env=eager_to_save(tmp_path, wait=0.05))
    before = f"seed-0/level-{level - 1:02}.json" if level else "progress"
    while not (tmp_path / NAME / before).exists() and process.poll() is None:
        time.sleep(0.01)
    wait = random.random() / 2
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was done before it was killed"
    left = len(list((tmp_path / NAME).glob("seed-*/level-*.json")))
    code, _, err = command("train", *WORDS, "--root", tmp_path)
    assert code == 0, err
    assert hashes(rl.Run(tmp_path / NAME)) == hashes(uninterrupted), f"killed {wait:.2f} s on with {left} tickets done"
    assert rl.Run(tmp_path / NAME).metrics.equals(uninterrupted.metrics)


class Stop(Exception):
    """Training was broken off by a test."""


def broken_off(spec, root, monkeypatch, at, **things):
    """A run whose training stopped, its state saved, after `at` steps in all."""
    steps = []

    def watch(self, level, state):
        steps.append(state.step)
        if len(steps) == at:
            raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(saving, "SAVE_EVERY", -1.0)
        patched.setattr("rmtlottery.train.bar.Bar.step", watch)
        with pytest.raises(Stop):
            rl.fit(spec, root, **things)


def first_steps(spec, root, monkeypatch):
    """(level, step) of every step that another start trains."""
    trained = []
    with monkeypatch.context() as patched:
        patched.setattr(
            "rmtlottery.train.bar.Bar.step", lambda self, level, state: trained.append((level.number, state.step))
        )
        rl.fit(spec, root)
    return trained


def test_a_resume_goes_on_from_the_checkpoint_and_not_from_the_start(tiny, tmp_path, monkeypatch):
    """Broken off in step 11 of level 1, it trains step 11 again and none before, and ends with the same bits."""
    whole = rl.fit(tiny, tmp_path / "whole")
    broken_off(tiny, tmp_path / "cut", monkeypatch, at=26 + 11)
    trained = first_steps(tiny, tmp_path / "cut", monkeypatch)
    assert trained == [(level, step) for level in (1, 2, 3) for step in range(1, 27) if (level, step) >= (1, 11)]
    assert hashes(rl.fit(tiny, tmp_path / "cut")) == hashes(whole)


def test_ctrl_c_prints_the_command_that_goes_on_and_loses_no_step(uninterrupted, tmp_path):
    process = start("train", *WORDS, "--root", tmp_path)
    while not list((tmp_path / NAME).glob("seed-0/level-00.json")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"to go on: python -m rmtlottery.train {' '.join(WORDS)} --root {tmp_path}" in err
    assert "Traceback" not in err
    facts, _ = Progress(tmp_path / NAME, "seeds-0-1").load(1)
    assert facts["step"] > 0
    assert command("train", *WORDS, "--root", tmp_path)[0] == 0
    assert hashes(rl.Run(tmp_path / NAME)) == hashes(uninterrupted)


def test_a_full_disk_is_one_sentence_and_what_was_finished_stays(uninterrupted, tmp_path):
    """A limit on the size of a file stands for the full disk: level 0 fits with its snapshots, nothing larger does."""
    shutil.copytree(uninterrupted.path, tmp_path / NAME)
    for path in (tmp_path / NAME).glob("seed-1/level-0[23].*"):
        path.unlink()
    small = (tmp_path / NAME / "seed-1" / "level-01.safetensors").stat().st_size // 2

    def narrow():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (small, small))

    code, _, err = command("train", *WORDS, "--root", tmp_path, preexec_fn=narrow)
    assert code == 2
    assert f"cannot go on: {tmp_path / NAME}/" in err
    assert "File too large; what was finished is kept" in err
    assert "Traceback" not in err
    assert not list((tmp_path / NAME).rglob("*.part"))
    assert command("train", *WORDS, "--root", tmp_path)[0] == 0
    assert hashes(rl.Run(tmp_path / NAME)) == hashes(uninterrupted)


def test_rebuilding_an_earlier_level_keeps_the_checkpoint_of_a_later_one(tiny, tmp_path, monkeypatch):
    broken_off(tiny, tmp_path, monkeypatch, at=2 * 26 + 15)
    next(tmp_path.glob("*/seed-0/level-00.safetensors")).write_bytes(b"")
    trained = first_steps(tiny, tmp_path, monkeypatch)
    assert trained[:26] == [(0, step) for step in range(1, 27)]
    assert trained[26] == (2, 15)


def test_a_checkpoint_that_began_elsewhere_is_not_taken_up(tiny, tmp_path, monkeypatch):
    """Level 1 was rebuilt otherwise (here by another level 0): its children begin anew."""
    broken_off(tiny, tmp_path, monkeypatch, at=2 * 26 + 15)
    for path in tmp_path.glob("*/seed-0/level-*"):
        path.unlink()
    with monkeypatch.context() as patched:
        initial = material.initial
        patched.setattr(material, "initial", lambda init, shapes, seed: initial(init, shapes, seed + 1))
        trained = first_steps(tiny, tmp_path, monkeypatch)
    assert (2, 1) in trained


def test_a_checkpoint_of_another_unit_is_not_taken_up(tiny, tmp_path, monkeypatch):
    """Told bf16 on the way, a level is bf16 from its first step on, as its record says."""
    broken_off(tiny.but(levels=0), tmp_path, monkeypatch, at=10)
    run = rl.fit(tiny.but(levels=0), tmp_path, precision="bf16")
    whole = rl.fit(tiny.but(levels=0), tmp_path / "whole", precision="bf16")
    assert hashes(run) == hashes(whole)
    assert run[0, 0].record["unit"]["precision"] == "bf16"
    assert run.units()[0]["precision"] == "fp32"


def test_a_checkpoint_of_other_seeds_is_not_taken_up(tiny, tmp_path, monkeypatch):
    broken_off(tiny, tmp_path, monkeypatch, at=10)
    progress = Progress(next(tmp_path.iterdir()), "seeds-0-1")
    facts, tensors = progress.load(0)
    progress.save(0, facts | {"seeds": [1, 0]}, tensors)
    assert first_steps(tiny, tmp_path, monkeypatch)[0] == (0, 1)


def test_the_sidecar_says_what_was_trained_where_and_from_what(uninterrupted):
    record = json.loads((uninterrupted.path / "seed-1" / "level-02.json").read_text())
    assert record["unit"] == {
        "seeds": [0, 1],
        "device": uninterrupted.units()[0]["device"],
        "threads": 1,
        "precision": "fp32",
        "sparse": 0.15,
    }
    assert record["parent"] == uninterrupted[1, 1].record["sha256"]["weights"]
    assert set(record["provenance"]) == {"rmtlottery", "torch", "numpy", "python", "machine", "gpu", "tf32"}


def test_what_is_not_there_yet_is_a_fault_of_the_run(tiny, tmp_path, monkeypatch):
    broken_off(tiny, tmp_path, monkeypatch, at=2 * 26 + 5)
    run = rl.Run(next(tmp_path.iterdir()))
    assert len(run) == 4
    assert run.faults() == [
        f"{run.path}: 4 of 8 tickets are not there yet (the first is seed 0, level 2); train on to have them"
    ]


@pytest.mark.parametrize("content", ["{}", "[]", "5", "null", '{"status": "done"}', '{"units": [5]}', "\xff"])
@pytest.mark.parametrize("name", ["seed-1/level-01.json", "units.json"])
def test_a_file_of_ours_with_other_content_is_named_and_the_run_goes_on(tiny, tmp_path, name, content):
    run = rl.fit(tiny.but(levels=1), tmp_path)
    before, units = hashes(run), run.units()
    (run.path / name).write_text(content, encoding="latin-1")
    assert name == "units.json" or [fault for fault in run.faults() if "level-01.json is " in fault]
    assert run.units() == units
    assert hashes(rl.fit(tiny.but(levels=1), tmp_path)) == before
    assert run.faults() == []
    assert disk.read_sealed(run.path / "units.json") == {"units": units}


def test_an_edited_sidecar_is_seen(tiny, tmp_path):
    run = rl.fit(tiny.but(levels=0), tmp_path)
    path = run.path / "seed-0" / "level-00.json"
    path.write_text(path.read_text().replace('"test_accuracy": 0.', '"test_accuracy": 0.9'))
    assert "level-00.json is altered: its content does not give the seal in it" in run.faults()[0]


def test_a_folder_where_a_file_should_be_is_named(tiny, tmp_path):
    run = rl.fit(tiny.but(levels=0), tmp_path)
    for name in ("seed-0/level-00.json", "seed-1/level-00.safetensors"):
        (run.path / name).unlink()
        (run.path / name).mkdir()
    faults = run.faults()
    assert "level-00.json is damaged" in faults[0]
    assert "level-00.safetensors is damaged: a folder where a file was promised" in faults[1]


def test_another_command_does_not_change_what_a_resume_repeats(tiny, tmp_path, monkeypatch):
    broken_off(tiny, tmp_path, monkeypatch, at=30)
    units = rl.Run(next(tmp_path.iterdir())).units()
    with pytest.raises(rl.Refusal, match="is not on this machine"):
        rl.fit(tiny, tmp_path, device="cuda:97")
    rl.fit(tiny, tmp_path, precision="bf16")
    assert rl.Run(next(tmp_path.iterdir())).units() == units


def test_a_device_that_is_not_there_leaves_no_unit_behind(tiny, tmp_path):
    with pytest.raises(rl.Refusal, match="device = 'cuda:97' is not on this machine"):
        rl.fit(tiny, tmp_path, device="cuda:97")
    assert len(rl.fit(tiny, tmp_path)) == 8


def test_seeds_without_number_and_names_without_end_fit_into_a_file_name(tiny, tmp_path):
    run = rl.fit(tiny.but(seeds=tuple(range(100)), levels=0, epochs=1, snapshots=tuple(range(1, 14))), tmp_path)
    assert len(run) == 100
    long = tiny.but(widths=",".join(map(str, range(1, 99))))
    from rmtlottery.tickets.presets import label

    assert len(label(long)) <= 120
    assert label(long) != label(long.but(lr=0.5))


def test_workers_die_with_the_command(tmp_path):
    """kill -9 of the command ends its workers too, and the same command then goes on."""
    words = [*WORDS, "--workers", "2", "--root", tmp_path]
    process = start("train", *words)
    while len(list((tmp_path / NAME).glob("seed-*/level-00.json"))) < 2 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    code, _, err = command("train", *words)
    assert code == 0, err
    assert len(rl.Run(tmp_path / NAME)) == 8


def test_ctrl_c_reaches_the_workers(tmp_path):
    """Sent to the command alone, it ends the workers too, and they save what they have; seconds of work are left then."""
    longer = ["40" if word == "12" else word for word in WORDS]
    words = [*longer, "--name", "longer", "--workers", "2", "--root", tmp_path]
    process = start("train", *words)
    while not list((tmp_path / "longer").glob("seed-*/level-00.json")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "to go on: python -m rmtlottery.train" in err
    assert "Traceback" not in err
    code, _, err = command("train", *words)
    assert code == 0, err
    assert len(rl.Run(tmp_path / "longer")) == 8


@pytest.mark.parametrize("dropout", [0.0, 0.4], ids=["at once", "seed by seed"])
@pytest.mark.parametrize("at", [3, 17, 30, 45])
def test_a_module_with_running_statistics_and_dropout_goes_on_to_the_bit(tmp_path, monkeypatch, at, dropout):
    """Whatever the step: before and after the one that is rewound to, and in a later level."""
    torch.manual_seed(0)
    parts = [torch.nn.Linear(64, 9), torch.nn.BatchNorm1d(9), torch.nn.Tanh(), torch.nn.Linear(9, 10)]
    drop = [torch.nn.Dropout(dropout)] if dropout else []
    net = torch.nn.Sequential(torch.nn.Flatten(), *parts[:3], *drop, parts[3])
    spec = rl.Spec().but(init="own", epochs=2, batch=100, levels=2, rewind=5, seeds=(0, 1), name="module")
    broken_off(spec, tmp_path / "broken", monkeypatch, at, net=net)
    on = rl.fit(spec, tmp_path / "broken", net=net)
    whole = rl.fit(spec, tmp_path / "whole", net=net)
    assert len(on) == 6
    assert hashes(on) == hashes(whole)


def test_a_control_goes_on_to_the_bit_and_needs_no_parent_for_it(tiny, tiny_run, tmp_path, monkeypatch):
    tickets = [rl.controls.flip_signs(ticket, 3) for ticket in tiny_run]
    broken_off(tiny, tmp_path / "broken", monkeypatch, 40, start=tickets)
    (path,) = (tmp_path / "broken").iterdir()
    on = rl.fit(rl.Run(path).spec, tmp_path / "broken")
    whole = rl.fit(tiny, tmp_path / "whole", start=tickets)
    assert len(on) == 8
    assert hashes(on) == hashes(whole)
