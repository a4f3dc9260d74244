"""The folder of analyses is the registry."""

import pytest

import rmtlottery as rl
from rmtlottery.analyze import _questions


def test_what_needs_more_than_weights_says_what():
    told = {name: _questions.beyond_weights(name) for name in _questions.questions()}
    alone = {name for name, needed in told.items() if not needed}
    assert alone == {"bimodality", "degrees", "histogram", "layers", "spectrum", "weights"}
    assert told["accuracy"] == "what training recorded"
    assert told["jacobian"] == "the net and its data"


def test_a_source_is_read_for_its_question_once(monkeypatch):
    """A report asks for every question some thirty times."""
    before = _questions.questions()
    monkeypatch.setattr(_questions.ast, "parse", lambda text: pytest.fail("read again"))
    assert _questions.questions() == before


@pytest.mark.parametrize("name", ["layer", "_style", "nowhere"])
def test_what_is_no_analysis_is_refused(name):
    for ask in (_questions.analysis, _questions.options):
        with pytest.raises(rl.Refusal, match=f"unknown analysis '{name}'"):
            ask(name)
