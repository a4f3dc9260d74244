"""Answers that are kept: the same to the bit, and never in the place of another."""

import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import rmtlottery as rl
from rmtlottery.analyze import _answer, _kept
from rmtlottery.analyze._answer import Form, answer
from rmtlottery.analyze._checkpoint import Checkpoint
from rmtlottery.analyze._kept import Kept

TABLE = pd.DataFrame(
    {"run": ["a", "b"], "level": [3, 4], "q": [0.1 + 0.2, np.nan], "edge": [np.inf, 1e-300], "refused": [True, False]}
).assign(parts=np.array([7, 255], dtype=np.uint8))
WHOLE = Kept(TABLE, b"\x89PNG\r\n\x1a\n\x00\xff\x00", "chi is 1 ± 0.1.")


def same(found, expected):
    return found.table.equals(expected.table) and found[1:] == expected[1:]


@pytest.mark.parametrize("kept", [Kept(TABLE), WHOLE], ids=["asked", "drawn"])
def test_it_comes_back_to_the_bit(kept, tmp_path):
    _kept.save(tmp_path / "t.npz", "mark", kept)
    found = _kept.load(tmp_path / "t.npz", "mark")
    pd.testing.assert_frame_equal(found.table, TABLE, check_exact=True)
    assert found[1:] == kept[1:]


def test_another_mark_a_damaged_file_and_none_are_no_answer(tmp_path):
    path = tmp_path / "t.npz"
    assert _kept.load(path, "mark") is None
    _kept.save(path, "mark", WHOLE)
    assert _kept.load(path, "other") is None
    path.write_bytes(path.read_bytes()[:100])
    assert _kept.load(path, "mark") is None


def test_a_file_with_any_byte_altered_is_the_answer_or_none(tmp_path):
    path = tmp_path / "t.npz"
    _kept.save(path, "mark", WHOLE)
    whole = path.read_bytes()
    for place, byte in enumerate(whole):
        path.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        found = _kept.load(path, "mark")
        assert found is None or same(found, WHOLE)


def without_mark(path):
    np.savez(path, names=np.array([]))


def bare(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, without_mark, bare, lambda path: path.write_text("no zip")])
def test_what_is_no_kept_answer_is_none(tmp_path, make):
    make(tmp_path / "t.npz")
    assert _kept.load(tmp_path / "t.npz", "mark") is None


def test_what_is_neither_number_nor_word_is_not_kept(tmp_path):
    _kept.save(tmp_path / "t.npz", "mark", Kept(pd.DataFrame({"level": [1, 2], "odd": ["a", None]})))
    assert not (tmp_path / "t.npz").exists()


def test_the_mark_knows_question_options_tickets_place_and_code(tiny_run, tiny, tmp_path, monkeypatch):
    other = rl.fit(tiny.but(levels=1), tmp_path)
    asked = ("qmap", {"samples": 20}, [tiny_run])
    runs = [[other], [tiny_run, other]]
    others = [("chi", *asked[1:]), ("qmap", {"samples": 21}, [tiny_run]), *((*asked[:2], held) for held in runs)]
    marks = [_kept.mark(*asked), *(_kept.mark(*held) for held in others)]
    monkeypatch.setattr(_kept, "code", lambda: "another")
    marks.append(_kept.mark(*asked))
    assert len(set(marks)) == 6
    monkeypatch.undo()
    assert _kept.mark(*asked) == marks[0]


@pytest.mark.parametrize("part", ["code", "provenance", "versions", "style"])
def test_the_mark_knows_what_answers(tiny_run, monkeypatch, part):
    before = _kept.mark("qmap", {}, [tiny_run])
    monkeypatch.setattr(_kept, part, lambda: "another")
    assert _kept.mark("qmap", {}, [tiny_run]) != before


@pytest.mark.parametrize("package", ["scipy", "pandas", "statsmodels", "matplotlib", "seaborn"])
def test_a_package_of_another_version_asks_anew(monkeypatch, package):
    before = _kept.versions()
    monkeypatch.setattr(_kept, "version", lambda name: "0" if name == package else version(name))
    assert sum(new != old for new, old in zip(_kept.versions(), before, strict=True)) == 1


def test_the_style_is_that_of_the_users_file(tmp_path, monkeypatch):
    before = _kept.style()
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 7")
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))
    assert _kept.style() == "lines.linewidth: 7" != before


@pytest.mark.parametrize("file", ["a.py", "room/b.py"])
def test_the_code_is_that_of_all_rooms(tmp_path, monkeypatch, file):
    assert Path(rl.__file__).parent == _kept.PACKAGE
    monkeypatch.setattr(_kept, "PACKAGE", tmp_path)
    (tmp_path / "room").mkdir()
    for name in ("a.py", "room/b.py"):
        (tmp_path / name).write_text("x = 1")
    before = _kept.code.__wrapped__()
    (tmp_path / file).write_text("x = 2")
    assert _kept.code.__wrapped__() != before


def test_a_copy_is_another_run_and_a_relative_path_is_the_same(tiny_run, tmp_path, monkeypatch):
    copies = [shutil.copytree(tiny_run.path, tmp_path / folder / "first") for folder in ("a", "b")]
    marks = [_kept.mark("qmap", {}, [rl.Run(path)]) for path in copies]
    assert marks[0] != marks[1]
    monkeypatch.chdir(tmp_path)
    assert _kept.mark("qmap", {}, [rl.Run("a/first")]) == marks[0]


def test_tickets_in_the_same_places_that_were_trained_otherwise_are_others(tiny, tmp_path):
    marks = []
    for precision in ("fp32", "bf16"):
        run = rl.fit(tiny.but(levels=1, seeds=0), tmp_path, precision=precision)
        marks.append(_kept.mark("qmap", {}, [run]))
        shutil.rmtree(run.path)
    assert marks[0] != marks[1]


def test_a_ticket_that_was_trained_anew_is_asked_anew(tiny, tmp_path):
    run = rl.fit(tiny.but(levels=1, seeds=0), tmp_path)
    answer([run], [("accuracy",)], tmp_path / "out" / "report.html", "t", "c", Form(kept=True))
    more = rl.fit(tiny.but(levels=1, seeds=(0, 1)), tmp_path)
    answer([more], [("accuracy",)], tmp_path / "out" / "report.html", "t", "c", Form(kept=True))
    assert set(pd.read_csv(tmp_path / "out" / "tables" / "accuracy.csv")["seed"]) == {0, 1}


def told(run, folder):
    """The report, and each table and figure, of two questions."""
    asked = [("accuracy", {}, [run]), ("qmap", {"samples": 10}, [run], "signal")]
    answer([run], asked, folder / "report.html", "t", "c", Form(kept=True))
    return {path.name: path.read_bytes() for path in folder.rglob("*.*") if path.suffix != ".npz"}


def test_what_was_drawn_is_not_drawn_again_and_is_the_same(tiny_run, tmp_path, monkeypatch):
    before = told(tiny_run, tmp_path)
    assert len(before) == 5
    (tmp_path / "figures" / "signal.png").unlink()
    for name in ("gather", "plot", "png"):
        monkeypatch.setattr(f"rmtlottery.analyze._answer.{name}", lambda *what: pytest.fail("made again"))
    monkeypatch.setattr("rmtlottery.analyze.accuracy.headline", lambda table: pytest.fail("said again"))
    assert told(tiny_run, tmp_path) == before


def test_what_could_not_be_drawn_is_drawn_of_the_table_that_was_kept(tiny_run, tmp_path, monkeypatch):
    """And then ends as it would have."""
    expected = told(tiny_run, tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr("rmtlottery.analyze._answer.png", lambda figure: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            told(tiny_run, tmp_path / "cut")
    asked, gather = [], _answer.gather
    monkeypatch.setattr(_answer, "gather", lambda name, *what: (asked.append(name), gather(name, *what))[1])
    assert told(tiny_run, tmp_path / "cut") == expected
    assert asked == ["qmap"]


def test_a_table_with_faults_is_not_kept(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr("rmtlottery.analyze._answer.gather", lambda *what: (TABLE, ["a fault"]))
    monkeypatch.setattr("rmtlottery.analyze._answer.plot", lambda *what: pytest.importorskip("matplotlib.pyplot").figure())
    monkeypatch.setattr("rmtlottery.analyze.accuracy.headline", lambda table: "")
    answer([tiny_run], [("accuracy",)], tmp_path / "report.html", "t", "c", Form(kept=True))
    assert not list(tmp_path.rglob("*.npz"))


def test_a_checkpoint_that_was_written_anew_is_asked_anew(tmp_path):
    asked, path, told = [("layers", {"redraws": 0, "bootstraps": 0})], tmp_path / "net.safetensors", []
    for scale in (1.0, 3.0):
        save_file({"one.weight": scale * torch.ones(12, 30).tril()}, path)
        answer([Checkpoint(path)], asked, tmp_path / "out" / "report.html", "t", "c", Form(kept=True))
        told.append((tmp_path / "out" / "tables" / "layers.csv").read_text())
    assert told[0] != told[1]
