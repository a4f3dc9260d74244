"""Tables that are kept: the same to the bit, and never in the place of another."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze import _kept
from rmtlottery.analyze._answer import Form, answer

TABLE = pd.DataFrame(
    {"run": ["a", "b"], "level": [3, 4], "q": [0.1 + 0.2, np.nan], "edge": [np.inf, 1e-300], "refused": [True, False]}
)


def test_a_table_comes_back_to_the_bit(tmp_path):
    _kept.save(tmp_path / "t.npz", "mark", TABLE)
    pd.testing.assert_frame_equal(_kept.load(tmp_path / "t.npz", "mark"), TABLE, check_exact=True)


def test_another_mark_a_damaged_file_and_none_are_no_table(tmp_path):
    path = tmp_path / "t.npz"
    assert _kept.load(path, "mark") is None
    _kept.save(path, "mark", TABLE)
    assert _kept.load(path, "other") is None
    path.write_bytes(path.read_bytes()[:100])
    assert _kept.load(path, "mark") is None


def test_what_is_neither_number_nor_word_is_not_kept(tmp_path):
    _kept.save(tmp_path / "t.npz", "mark", pd.DataFrame({"odd": ["a", None]}))
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


def test_a_ticket_that_was_trained_anew_is_asked_anew(tiny, tmp_path):
    run = rl.fit(tiny.but(levels=1, seeds=0), tmp_path)
    answer([run], [("accuracy",)], tmp_path / "out" / "report.html", "t", "c", Form(kept=True))
    more = rl.fit(tiny.but(levels=1, seeds=(0, 1)), tmp_path)
    answer([more], [("accuracy",)], tmp_path / "out" / "report.html", "t", "c", Form(kept=True))
    assert set(pd.read_csv(tmp_path / "out" / "tables" / "accuracy.csv")["seed"]) == {0, 1}


def test_a_table_with_faults_is_not_kept(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr("rmtlottery.analyze._answer.gather", lambda *what: (TABLE, ["a fault"]))
    monkeypatch.setattr("rmtlottery.analyze._answer.plot", lambda *what: pytest.importorskip("matplotlib.pyplot").figure())
    monkeypatch.setattr("rmtlottery.analyze.accuracy.headline", lambda table: "")
    answer([tiny_run], [("accuracy",)], tmp_path / "report.html", "t", "c", Form(kept=True))
    assert not list(tmp_path.rglob("*.npz"))
