"""One bar, silent when nobody looks, and right about where it stands after a resume."""

from types import SimpleNamespace

import pytest

from rmtlottery.train import bar as bar_module
from rmtlottery.train.bar import Bar, latest_accuracy

LEVEL = SimpleNamespace(number=1, last_step=10, steps_an_epoch=5)


def state(step, rows=({"validation_accuracy": 0.5}, {"validation_accuracy": 0.7})):
    return SimpleNamespace(step=step, training=[0, 1], rows={seed: [row] for seed, row in enumerate(rows)})


def test_it_is_silent_without_a_terminal(capsys):
    with Bar("name", 20, 1) as bar:
        bar.step(LEVEL, state(1))
        bar.unit_done()
    assert capsys.readouterr() == ("", "")


def test_it_counts_from_where_a_resume_begins(monkeypatch, capsys):
    monkeypatch.setattr(bar_module.sys.stderr, "isatty", lambda: True, raising=False)
    with Bar("name", 20, 2) as bar:
        bar.step(LEVEL, state(4))
        assert (bar.bar.initial, bar.bar.n) == (13, 14)
        bar.step(LEVEL, state(5))
        assert "accuracy=0.600" in bar.bar.postfix
        bar.unit_done()
        bar.step(SimpleNamespace(number=0, last_step=10, steps_an_epoch=5), state(1))
        assert (bar.bar.n, bar.bar.total) == (21, 40)


def test_without_a_validation_set_it_shows_the_test_accuracy():
    assert latest_accuracy(state(5, ({"test_accuracy": 0.2}, {"test_accuracy": 0.4}))) == pytest.approx(0.3)
