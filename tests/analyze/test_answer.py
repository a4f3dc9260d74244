"""From tickets to files, with what is damaged named and left out."""

import io
import shutil

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze._answer import answer, lead, png

ASKED = [("accuracy", {}), ("qmap", {"samples": 20})]


def test_it_leaves_tables_figures_and_one_report(tiny_run, tmp_path):
    outcome = answer([tiny_run], ASKED, tmp_path / "report.html", "The title", "the command")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [
        "figures/accuracy.png", "figures/qmap.png", "report.html", "tables/accuracy.csv", "tables/qmap.csv",
    ]  # fmt: skip
    stored = pd.read_csv(tmp_path / "tables" / "qmap.csv")
    pd.testing.assert_frame_equal(stored, rl.tabulate("qmap", tiny_run, samples=20), check_exact=False, rtol=1e-12)
    assert outcome.faults == []
    assert len(outcome.headlines) == 2
    assert "the command" in outcome.report.read_text()


def test_a_figure_needs_no_checkpoint(tiny_run, tmp_path):
    answer([tiny_run], ASKED, tmp_path / "report.html", "t", "c")
    assert rl.plot("qmap", pd.read_csv(tmp_path / "tables" / "qmap.csv")).axes


def test_a_damaged_ticket_is_a_fault_and_the_rest_is_answered(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "first")
    path = tmp_path / "first" / "seed-0" / "level-03.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    outcome = answer([rl.Run(tmp_path / "first")], ASKED, tmp_path / "out" / "report.html", "t", "c")
    assert len(outcome.faults) == 1
    assert "level-03.safetensors is damaged" in outcome.faults[0]
    table = pd.read_csv(tmp_path / "out" / "tables" / "qmap.csv")
    assert len(table.groupby(["seed", "level"])) == 7


def test_nothing_usable_is_refused(tiny, tmp_path):
    from rmtlottery.tickets.run import Run

    with pytest.raises(rl.Refusal, match="no ticket to ask"):
        answer([Run.open(tmp_path, tiny)], ASKED, tmp_path / "out" / "report.html", "t", "c")
    assert not (tmp_path / "out").exists()


def test_two_runs_share_a_report(tiny_run, tiny, tmp_path):
    other = rl.fit(tiny.but(lr=0.01, levels=1), tmp_path)
    outcome = answer([tiny_run, other], ASKED, tmp_path / "out" / "report.html", "t", "c")
    assert set(pd.read_csv(tmp_path / "out" / "tables" / "accuracy.csv")["run"]) == {tiny_run.path.name, other.path.name}
    assert other.path.name in outcome.headlines[0]


def test_a_run_that_a_question_names_twice_is_asked_once(tiny_run, tmp_path):
    answer([tiny_run], [("accuracy", {}, [tiny_run, tiny_run])], tmp_path / "report.html", "t", "c")
    table = pd.read_csv(tmp_path / "tables" / "accuracy.csv")
    assert not table.duplicated(["seed", "level", "split"]).any()


def test_two_runs_of_one_name_are_told_apart_in_what_was_run(tiny, tmp_path):
    runs = [rl.fit(tiny.but(lr=lr, levels=0, name="same"), tmp_path / place) for place, lr in (("a", 0.01), ("b", 0.02))]
    page = answer(runs, [("accuracy", {})], tmp_path / "report.html", "t", "c").report.read_text()
    assert "a/same: optimiser" in page
    assert "b/same: optimiser" in page
    assert "lr 0.01" in page
    assert "lr 0.02" in page


def test_to_ask_nothing_is_refused(tiny_run, tmp_path):
    with pytest.raises(rl.Refusal, match="nothing was asked"):
        answer([tiny_run], [], tmp_path / "report.html", "t", "c")


def test_many_runs_are_counted_and_not_named_first(tiny_run):
    assert lead([tiny_run]) == f"8 tickets of {tiny_run.path.name}; seeds 0, 1."
    assert lead([tiny_run] * 9) == "72 tickets of 9 runs; seeds 0, 1."


def test_what_stands_out_of_a_figure_without_a_layout_is_kept_in():
    import matplotlib.pyplot as plt

    sizes = {}
    for layout in (None, "constrained"):
        figure, axes = plt.subplots(figsize=(4, 2), layout=layout)
        axes.legend([axes.plot([0, 1])[0]], ["a long name of a line"], loc="center left", bbox_to_anchor=(1.01, 0.5))
        sizes[layout] = plt.imread(io.BytesIO(png(figure))).shape[1]
    assert sizes["constrained"] == 520
    assert sizes[None] > 560
