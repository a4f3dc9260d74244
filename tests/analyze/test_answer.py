"""From tickets to files, with what is damaged named and left out."""

import io
import shutil

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import rmtlottery as rl
from rmtlottery.analyze._answer import answer, lead, png
from rmtlottery.analyze._checkpoint import Checkpoint
from tests.conftest import TINY

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


SUBSPACE = TINY.but(levels=0, epochs=1, seeds=(0,))
ALONG = {"kind": "affine", "dim": 9, "projection": "dense"}
AT_ONCE = [("weights", {}), ("subnets", {"samples": 50, "probes": 1}), ("angles", {})]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """One of each kind, and another draw."""
    root = tmp_path_factory.mktemp("sources")
    save_file({"one.weight": torch.ones(4, 7).tril()}, root / "net.safetensors")
    runs = {"whole": SUBSPACE, "few": SUBSPACE.but(chart=ALONG), "draw": SUBSPACE.but(chart=ALONG | {"draw": 1})}
    fitted = {name: rl.fit(spec.but(name=name), root, threads=1) for name, spec in runs.items()}
    return fitted | {"net": Checkpoint(root / "net.safetensors")}


def told(sources, names, folder):
    """What was left out of those that are asked at once, and which tables there are."""
    found = answer([sources[name] for name in names.split()], AT_ONCE, folder / "report.html", "t", "c")
    assert found.faults == []
    tables = {path.stem for path in (folder / "tables").iterdir()} - {"weights"}
    return {line for line in found.skipped if "subnets" in line or "angles" in line}, tables


ONE, OTHERS = "is about several runs that differ in --draw", "is about runs with chart affine"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        *((names, ONE) for names in ("few", "few whole", "net few", "net few whole")),
        *((names, OTHERS) for names in ("whole", "net", "net whole")),
    ],
)
def test_what_is_about_several_runs_in_subspaces_is_not_asked_of_one_or_of_others(sources, names, reason, tmp_path):
    left_out, tables = told(sources, names, tmp_path)
    each = [sources[name].path.name for name in names.split()]
    assert left_out == {f"{place}: {asked}: {reason}" for place in each for asked in ("subnets", "angles")}
    assert tables == set()


def test_several_runs_are_asked_at_once_and_checkpoints_left_out(sources, tmp_path):
    left_out, tables = told(sources, "net few whole draw", tmp_path)
    assert left_out == {
        "net.safetensors: subnets: needs the net and its data, which a checkpoint alone does not hold",
        "net.safetensors: angles: needs what training recorded, which a checkpoint alone does not hold",
    }
    assert tables == {"subnets", "angles"}
    table = pd.read_csv(tmp_path / "tables" / "subnets.csv")
    assert set(table["subnets"]) == {1, 2}
    assert set(table["run"]) == {"few"}


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


def test_sizes_of_one_grid_do_not_differ_in_their_draw_alone(sources, tmp_path):
    other = rl.fit(SUBSPACE.but(chart=ALONG | {"dim": 30}, name="other"), tmp_path, threads=1)
    left_out, tables = told(sources | {"other": other}, "few other", tmp_path)
    assert len(left_out) == 4
    assert tables == set()


@pytest.mark.parametrize(("names", "lacking"), [("few draw", "full, too"), ("whole", "affine or sum"), ("few whole", "")])
def test_distances_are_of_runs_along_directions_and_of_whole_ones_beside(sources, names, lacking, tmp_path):
    held = [sources[name] for name in names.split()]
    asked = [("weights", {}), ("distance", {"samples": 50, "probes": 1, "steps": 5})]
    found = answer(held, asked, tmp_path / "report.html", "t", "c")
    assert found.faults == []
    assert {line.rpartition(" chart ")[2] for line in found.skipped if "distance" in line} == ({lacking} - {""})
