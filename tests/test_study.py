"""`python -m rmtlottery.study`: nouns in, one report out, nothing made twice."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery import nets, study
from rmtlottery.charts.flat import layers, total
from rmtlottery.datasets import dataset
from rmtlottery.tickets.parts import Recall, Text, Transformer
from rmtlottery.train.child import child


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
    spec = rl.preset("lenet_300_100")
    small = study.smaller(spec)
    assert (small.schedule.epochs, small.prune.levels, small.seeds) == (1, 1, (0, 1))
    assert (small.data.kind, small.net.widths) == ("digits", (16, 16))
    assert (small.net.phi, small.init, small.optimiser) == (spec.net.phi, spec.init, spec.optimiser)
    assert small.name == "lenet_300_100"


@pytest.mark.parametrize(
    ("name", "given", "small"),
    [
        ("transition", {"samples": 0, "loss": 0.2}, {"samples": 100, "probes": 1, "steps": 8, "loss": 0.2}),
        ("subnets", {}, {"samples": 100, "probes": 1}),
        ("qmap", {"samples": 7}, {"samples": 7}),
    ],
)
def test_lanczos_runs_are_short_in_small(name, given, small):
    assert study.coarse(study.question({}, "file", name, given)).given == small


def test_a_run_brings_all_that_it_descends_from():
    runs = {"a": rl.preset("first"), "b": ("a", {}), "other": rl.preset("first"), "c": ("b", {})}
    assert list(study.wanted(runs, "c")) == ["a", "b", "c"]
    assert study.wanted(runs, None) == runs


@pytest.mark.parametrize("preset", ["lens_conv_small", "conv4", "resnet20_cifar10", "resnet18_cifar10", "lens_skip"])
def test_every_kind_of_net_is_narrowed(preset):
    shapes = [nets.build(net, (1, 8, 8), 10).shapes for net in (rl.preset(preset).net, study.narrow(rl.preset(preset).net))]
    large, small = (sum(np.prod(shape) for shape in held.values()) for held in shapes)
    assert small < large / 20


def test_convolutions_are_narrowed_and_so_are_the_layers_after_them():
    small = study.narrow(rl.preset("li_lenet_mnist").net)
    assert (small.channels, small.widths) == ((4, 4), (16, 16))
    shapes = nets.build(small, (1, 8, 8), 10).shapes
    assert (shapes["fc1.weight"], shapes["fc2.weight"]) == ((16, 4 * 8 * 8), (16, 16))


def test_a_transformer_keeps_its_sequences_for_it_takes_no_pictures():
    net, data = {"kind": "transformer", "units": 48, "heads": 3, "blocks": 4}, {"kind": "recall", "pairs": 3, "renaming": 2}
    small = study.smaller(rl.Spec().but(net=net, data=data))
    assert small.net == Transformer(units=8, heads=2, blocks=1)
    assert small.data == Recall(pairs=3, renaming=2, samples=500)
    assert nets.build(small.net, *sized(small)).shapes["embed.weight"] == (8, 16)


def test_a_text_keeps_its_places_and_shows_few_of_them():
    small = study.smaller(rl.Spec().but(net="transformer", data={"kind": "text", "places": 5, "every": 2}))
    assert small.data == Text(places=5, every=50)
    assert len(dataset(small.data).train) < 600
    assert nets.build(small.net, *sized(small)).shapes["places.shift"] == (5, 8)


def sized(spec):
    held = dataset(spec.data)
    return held.shape, held.classes


def test_one_cut_stays_one_cut():
    assert study.smaller(rl.preset("snip_lenet")).prune.levels == 1


@pytest.fixture
def small_study(tmp_path, monkeypatch):
    """A study of a run and two that descend from it; what is asked of which is told."""
    folder = tmp_path / "analyses"
    folder.mkdir()
    (folder / "own.py").write_text('''"""What of it?"""
import rmtlottery as rl
RUNS = {
    "parent": rl.Spec().but(widths="12,8", epochs=1, levels=3, batch=200, seeds=(0, 1), name="parent"),
    "shuffled": ("parent", {"control": "shuffle_mask", "at": (1, 2), "lr": 3e-3}),
    "rescaled": ("parent", {"control": "rescale", "control_seed": 4}),
}
FIGURES = {
    "accuracy": ("accuracy",),
    "of_the_parent": ("qmap", {"samples": 10}, ["parent"]),
    "of_children": ("qmap", {"samples": 20}, ["shuffled", "rescaled"]),
}
''')
    monkeypatch.setattr(study, "folder", lambda: folder)
    return ["own", "--root", str(tmp_path / "runs")]


def test_children_are_trained_from_controls_and_figures_are_of_the_runs_they_name(small_study, tmp_path, capsys):
    assert study.main(small_study) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("runs/study-own/report.html")
    tables = tmp_path / "runs" / "study-own" / "tables"
    runs = {file: set(pd.read_csv(tables / f"{file}.csv")["run"]) for file in ("accuracy", "of_the_parent", "of_children")}
    shuffled, rescaled = "parent-lr=0.003-on-shuffle_mask-0-at-1-2", "parent-on-rescale-4"
    assert runs == {
        "accuracy": {"parent", shuffled, rescaled},
        "of_the_parent": {"parent"},
        "of_children": {shuffled, rescaled},
    }
    assert pd.read_csv(tables / "of_children.csv")["inputs"].iloc[0].startswith("20 test inputs")


def test_a_second_start_trains_nothing_asks_nothing_and_draws_nothing(small_study, tmp_path, monkeypatch):
    study.main(small_study)
    before = {path: path.read_bytes() for path in (tmp_path / "runs" / "study-own").rglob("*.*")}
    monkeypatch.setattr("rmtlottery.train.levels.train", lambda *what: pytest.fail("trained again"))
    monkeypatch.setattr("rmtlottery.analyze._answer.gather", lambda *what: pytest.fail("asked again"))
    monkeypatch.setattr("rmtlottery.analyze._answer.plot", lambda *what: pytest.fail("drawn again"))
    assert study.main(small_study) == 0
    assert {path: path.read_bytes() for path in (tmp_path / "runs" / "study-own").rglob("*.*")} == before
    assert {path.suffix for path in before} == {".csv", ".npz", ".png", ".html"}


def test_only_makes_what_is_named_and_what_it_descends_from(small_study, tmp_path, capsys):
    assert study.main([*small_study, "--only", "rescaled"]) == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["parent", "parent-on-rescale-4"]
    assert capsys.readouterr().out.splitlines()[-2:] == [f"{tmp_path}/runs/parent", f"{tmp_path}/runs/parent-on-rescale-4"]


def test_children_that_are_one_in_small_are_made_once(small_study, monkeypatch):
    path, made = study.folder() / "own.py", []
    path.write_text(path.read_text() + 'RUNS["again"] = ("parent", {"control": "shuffle_mask", "at": (1, 2), "lr": 1e-2})\n')
    monkeypatch.setattr("rmtlottery.train.child.child", lambda *what: (made.append(what), child(*what))[1])
    words = [*small_study, "--only", "shuffled,again,rescaled"]
    assert study.main([*words, "--smoke"]) == 0
    assert len(made) == 2
    assert study.main(words) == 0
    assert len(made) == 5


def test_a_run_that_is_not_of_the_study_is_refused(small_study):
    with pytest.raises(rl.Refusal, match="unknown run of this study 'rescale': did you mean 'rescaled'"):
        study.main([*small_study, "--only", "rescale"])


@pytest.mark.parametrize(
    ("words", "match"), [([], "name one study: .*digits"), (["digit"], "unknown study 'digit': did you mean 'digits'")]
)
def test_bad_words_are_refused(words, match):
    with pytest.raises(rl.Refusal, match=match):
        study.main(words)


@pytest.mark.parametrize(("at", "levels"), [((13, 1), [1]), ((7,), [1]), ((), ())])
def test_in_smoke_form_a_child_is_of_levels_that_are_there_and_trained_as_its_parent(at, levels):
    parent = SimpleNamespace(levels=[0, 1])
    assert study.shortened({"control": "rescale", "at": at, "lr": 0.3}, parent) == {"control": "rescale", "at": levels}


def test_a_child_keeps_its_data_and_fewer_of_its_directions_in_small(tiny_run):
    changed = {"control": "trained", "renaming": 1, "chart": "said", "dim": 500, "lr": 0.3}
    found = study.shortened(changed, tiny_run)
    assert found == {"control": "trained", "renaming": 1, "chart": "said", "dim": 80, "at": ()}
    many = [study.shortened({"draw": k, "shuffling": k, "dim": 64}, tiny_run) for k in range(9)]
    assert {(told["draw"], told["shuffling"], told["dim"]) for told in many} == {(0, 0, 60), (1, 1, 60)}


@pytest.mark.parametrize("preset", ["li_fc_mnist", "li_lenet_mnist", "resnet18_cifar10"])
def test_subspaces_are_smaller_and_still_have_directions_beside_their_factors(preset):
    small = study.smaller(rl.preset(preset).but(chart="said", dim=1000))
    network = nets.build(small.net, (1, 8, 8), 10)
    assert len(layers(network.shapes)) < small.chart.dim == 80 < total(network.shapes)
