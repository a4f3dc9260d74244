"""`python -m rmtlottery.analyze` as a user types it."""

import shutil

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.__main__ import main
from rmtlottery.analyze._questions import questions
from tests.commands import command


def test_it_answers_and_prints_where(tiny, tmp_path, capsys):
    run = rl.fit(tiny.but(levels=1, seeds=(0,)), tmp_path / "runs")
    quick = ["--qmap.samples", "10", "--layers.redraws", "0", "--layers.bootstraps", "0", "--jacobian.samples", "2"]
    assert main([str(run.path), *quick, "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1 + len(questions())
    assert out[-1] == f"report: {tmp_path}/report.html"


def test_only_asks_only(tiny_run, tmp_path):
    assert main([str(tiny_run.path), "--only", "accuracy", "--out", str(tmp_path)]) == 0
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["accuracy.csv"]


def test_answers_go_into_the_run_unless_told(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    assert main([str(tmp_path / "run"), "--only", "accuracy"]) == 0
    assert (tmp_path / "run" / "analysis" / "report-accuracy.html").exists()
    assert not (tmp_path / "run" / "analysis" / "report.html").exists(), "a whole report is not replaced by a part"


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "name at least one run's folder"),
        (["RUN", "--only", "qmaps"], "unknown analysis 'qmaps': did you mean 'qmap'"),
        (["RUN", "--qmap.sample", "3"], r"unknown option '--qmap\.sample': did you mean '--qmap\.samples'"),
        (["RUN/nowhere"], "RUN/nowhere is not there; runs around it: RUN"),
        (["RUN/seed-0"], "is no run.*runs around it: RUN"),
        (["RUN/spec.json"], "is no run, which is a folder that training made: it is a file"),
        (["RUN", "RUN"], "2 runs share one report: say with --out where it goes"),
        (["RUN", "--only", "accuracy", "--qmap.samples", "5"], "is an option of an analysis that --only leaves out"),
        (["RUN", "--only", "qmap", "--qmap.samples", "0"], "samples = 0 is not at least 1"),
    ],
)
def test_bad_words_are_refused(tiny_run, words, match):
    with pytest.raises(rl.Refusal, match=match.replace("RUN", str(tiny_run.path))):
        main([word.replace("RUN", str(tiny_run.path)) for word in words])


def test_a_damaged_file_is_exit_code_3_and_named(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    (tmp_path / "run" / "seed-1" / "level-00.safetensors").write_bytes(b"\x80\x04\x95 a pickle")
    code, out, err = command("analyze", tmp_path / "run", "--only", "accuracy")
    assert code == 3
    assert "level-00.safetensors is damaged: weights in safetensors form were promised, this is a pickle" in err
    assert "report:" in out


def test_a_run_of_which_nothing_is_usable_is_exit_code_2(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    for path in (tmp_path / "run").glob("seed-*/*"):
        path.write_bytes(b"")
    code, _, err = command("analyze", tmp_path / "run")
    assert code == 2
    assert "Traceback" not in err


def test_a_control_is_asked_untrained_beside_the_answers_of_the_run(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    words = ["--only", "qmap", "--qmap.samples", "10"]
    assert main([str(tmp_path / "run"), *words, "--control", "flip_signs,shuffle_mask", "--control-seed", "3"]) == 0
    table = pd.read_csv(tmp_path / "run" / "analysis-flip_signs,shuffle_mask-3" / "tables" / "qmap.csv")
    assert set(table["run"]) == {"run:flip_signs,shuffle_mask-3-3"}
    assert set(table["state"]) == {"rewound"}
    assert not (tmp_path / "run" / "analysis").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--control", "rewound"], "--control goes with --only"),
        (["--only", "qmap", "--control-seed", "3"], "--control-seed with both"),
        (["--only", "accuracy", "--control", "rewound"], "is a control that was not trained"),
        (["--only", "qmap", "--control", "rewond"], "unknown control 'rewond': did you mean 'rewound'"),
    ],
)
def test_bad_words_about_controls_are_refused(tiny_run, tmp_path, words, match):
    with pytest.raises(rl.Refusal, match=match):
        main([str(tiny_run.path), "--out", str(tmp_path), *words])
