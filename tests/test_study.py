"""`python -m rmtlottery.study`: nouns in, one report out, nothing made twice."""

import pytest

import rmtlottery as rl
from rmtlottery import study


def test_every_study_is_found_with_its_question():
    assert study.studies()["digits"].endswith("?")


@pytest.mark.parametrize("name", study.studies())
def test_every_study_runs_in_smoke_form_and_resumes(name, tmp_path, capsys, monkeypatch, real_data):
    monkeypatch.setenv("RMTL_DATA", str(real_data))
    words = [name, "--smoke", "--root", str(tmp_path)]
    assert study.main(words) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == f"report: {tmp_path}/smoke/study-{name}/report.html"
    monkeypatch.setattr("rmtlottery.train.levels.train", lambda *what: pytest.fail("trained again"))
    assert study.main(words) == 0


def test_smoke_is_the_same_study_in_small():
    small = study.smaller(rl.preset("digits"))
    assert (small.schedule.epochs, small.prune.levels, small.seeds) == (1, 2, (0, 1))
    assert small.net == rl.preset("digits").net
    assert small.name == "digits"


@pytest.mark.parametrize(
    ("words", "match"), [([], "name one study: .*digits"), (["digit"], "unknown study 'digit': did you mean 'digits'")]
)
def test_bad_words_are_refused(words, match):
    with pytest.raises(rl.Refusal, match=match):
        study.main(words)
