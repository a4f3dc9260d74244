"""Checkpoints that nobody here trained, asked from the command line: what is told, what is left out, and the exit codes."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch.nn.utils import prune

import rmtlottery as rl
from rmtlottery.analyze.__main__ import main
from tests.commands import command

QUICK = ["--layers.redraws", "0", "--layers.bootstraps", "0"]


@pytest.fixture
def net():
    """Two matrices, a kernel, a bias and a counter, all of unequal sides."""
    torch.manual_seed(0)
    return {
        "encoder.0.weight": torch.randn(12, 30) / 30**0.5,
        "encoder.0.bias": torch.randn(12),
        "encoder.1.weight": torch.randn(9, 12, 3, 3) / 108**0.5,
        "steps": torch.tensor(7),
        "head.weight": torch.randn(40, 9) / 3,
    }


@pytest.fixture
def path(net, tmp_path):
    save_file(net, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def asked(path, *words):
    """The exit code, and the table of layers."""
    out = path.parent / "out"
    code = main([str(path), "--only", "layers", *QUICK, "--out", str(out), *words])
    return code, pd.read_csv(out / "tables" / "layers.csv")


def test_every_layer_is_told_as_numpy_tells_it(net, path):
    code, table = asked(path)
    assert code == 0
    assert list(table["name"]) == ["encoder.0.weight", "encoder.1.weight", "head.weight"]
    assert list(table["layer"]) == [1, 2, 3]
    for row in table.itertuples():
        weight = net[row.name].flatten(1).double().numpy()
        singular = np.linalg.svd(weight, compute_uv=False)
        assert (row.rows, row.columns) == weight.shape
        assert row.spectral == pytest.approx(singular[0], rel=1e-12)
        assert row.frobenius == pytest.approx(np.sqrt(np.sum(weight**2)), rel=1e-12)
        assert row.stable_rank == pytest.approx(np.sum(singular**2) / singular[0] ** 2, rel=1e-12)
        assert (row.kept, row.per_row) == (weight.size, weight.shape[1])
        assert np.isnan(row.alpha_p)
        assert np.isnan(row.null_alpha)


def test_what_is_no_layer_and_what_needs_more_is_said_in_a_line_each(path, tmp_path, capsys):
    words = ["--layers.redraws", "99", "--layers.bootstraps", "5", "--out", str(tmp_path / "out")]
    assert main([str(path), *words]) == 0
    out = capsys.readouterr().out
    skipped = [line for line in out.splitlines() if line.startswith("skipped: ")]
    assert any("encoder.0.bias" in line and "axis" in line for line in skipped)
    assert any("steps" in line for line in skipped)
    assert any("qmap: needs the net and its data" in line for line in skipped)
    assert any("accuracy: needs what training recorded" in line for line in skipped)
    there = {file.stem for file in (tmp_path / "out" / "tables").iterdir()}
    assert {"layers", "spectrum", "weights", "histogram", "degrees"} <= there
    assert not there & {"qmap", "accuracy", "jacobian"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "encoder.0.bias" in page
    assert "3 layers of model.safetensors" in page


def test_several_workers_find_the_same(path):
    alone, shared = asked(path, "--layers.redraws", "99")[1], asked(path, "--layers.redraws", "99", "--workers", "2")[1]
    pd.testing.assert_frame_equal(alone, shared, check_exact=False, rtol=1e-9)


def test_only_the_layers_that_fit_a_pattern_are_read(path):
    code, table = asked(path, "--layers", "encoder.*")
    assert code == 0
    assert list(table["name"]) == ["encoder.0.weight", "encoder.1.weight"]


def test_json_is_written_where_it_is_asked_for(path, tmp_path):
    main([str(path), "--only", "layers", *QUICK, "--out", str(tmp_path / "out"), "--written", "json"])
    rows = json.loads((tmp_path / "out" / "tables" / "layers.json").read_text())
    assert [row["name"] for row in rows] == ["encoder.0.weight", "encoder.1.weight", "head.weight"]
    assert rows[0]["alpha_p"] is None


def test_a_mask_beside_the_weights_is_laid_over_them(net, path, tmp_path):
    mask = {"head.weight": (torch.arange(360).reshape(40, 9) % 3 == 0).float()}
    save_file(mask, tmp_path / "mask.safetensors")
    code, table = asked(path, "--mask", str(tmp_path / "mask.safetensors"))
    row = table.set_index("name").loc["head.weight"]
    kept = (net["head.weight"] * mask["head.weight"]).double()
    assert code == 0
    assert row["kept"] == 120
    assert row["spectral"] == pytest.approx(torch.linalg.matrix_norm(kept, 2).item(), rel=1e-12)
    assert table.set_index("name").loc["encoder.0.weight", "kept"] == 360


def test_pairs_of_torch_pruning_are_one_masked_layer(tmp_path):
    layer = torch.nn.Linear(20, 6)
    prune.random_unstructured(layer, "weight", amount=0.5)
    torch.save({"state_dict": layer.state_dict(), "epoch": 3}, tmp_path / "pruned.pt")
    code, table = asked(tmp_path / "pruned.pt")
    assert code == 0
    assert (table["name"].item(), table["kept"].item(), table["density"].item()) == ("weight", 60, 0.5)
    assert table["spectral"].item() == pytest.approx(torch.linalg.matrix_norm(layer.weight.double(), 2).item(), rel=1e-12)


def test_numbers_that_are_none_are_one_layers_fault(net, path, capsys):
    net["encoder.1.weight"][2, 3, 1, 1] = float("nan")
    save_file(net, path)
    code, table = asked(path)
    assert code == 3
    assert list(table["name"]) == ["encoder.0.weight", "head.weight"]
    assert list(table["layer"]) == [1, 3]
    fault = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("fault: "))
    assert "model.safetensors" in fault
    assert "encoder.1.weight" in fault


def test_a_cut_file_is_told_as_far_as_it_goes(path):
    path.write_bytes(path.read_bytes()[:-200])
    code, out, err = command("analyze", path, "--only", "layers", *QUICK, "--out", path.parent / "out")
    assert code == 3
    assert "Traceback" not in err
    assert "model.safetensors" in err
    assert len(pd.read_csv(path.parent / "out" / "tables" / "layers.csv")) == 2
    assert "report:" in out


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"\xff" * 3000, b"{}", b"PK\x03\x04" + b"\x00" * 50])
@pytest.mark.parametrize("name", ["model.safetensors", "model.pt", "model.safetensors.index.json"])
def test_rubbish_is_exit_code_2_in_one_line(content, name, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(rl.Refusal, match=name) as refused:
        main([str(tmp_path / name), "--only", "layers", *QUICK, "--out", str(tmp_path / "out")])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--only", "qmap"], "qmap: needs the net and its data, which a checkpoint alone does not hold"),
        (["--layers", "decoder.*"], "has no layer that fits --layers 'decoder.*'; some that it has: encoder.0.weight"),
        (["--mask", "nowhere.pt"], "nowhere.pt"),
        (["--only", "layers", "--layers.null", "permute"], "unknown null 'permute': did you mean 'permuted'"),
        (["--only", "layers", "--layers.redraws", "50"], "take none, or at least 99 redraws"),
        (["--workers", "0"], "workers = 0 is not at least 1"),
    ],
)
def test_bad_words_are_refused(path, tmp_path, words, match):
    with pytest.raises(rl.Refusal, match=match):
        main([str(path), "--out", str(tmp_path / "out"), *words])


def test_masks_and_patterns_are_for_checkpoints(tiny_run):
    with pytest.raises(rl.Refusal, match="--mask and --layers are for checkpoints"):
        main([str(tiny_run.path), "--layers", "fc1*"])


def test_a_run_and_a_checkpoint_share_a_report(tiny_run, path, tmp_path):
    words = ["--only", "qmap,weights", "--qmap.samples", "5", "--out", str(tmp_path / "out")]
    assert main([str(tiny_run.path), str(path), *words]) == 0
    weights, qmap = (pd.read_csv(tmp_path / "out" / "tables" / f"{name}.csv") for name in ("weights", "qmap"))
    assert set(weights["run"]) == {tiny_run.path.name, "model.safetensors"}
    assert set(qmap["run"]) == {tiny_run.path.name}


def test_in_a_notebook_a_checkpoint_is_a_ticket(net, path):
    ticket = rl.load(path)
    assert rl.tabulate("layers", ticket, redraws=0, bootstraps=0)["layer"].tolist() == [1, 2, 3]
    with pytest.raises(rl.Refusal, match="qmap needs the net and its data, which a checkpoint alone does not hold"):
        rl.tabulate("qmap", ticket)


@pytest.mark.parametrize("broken", [torch.full((20, 9), float("nan")), torch.zeros(20, 9)])
def test_one_layer_without_numbers_costs_no_other_its_figures(broken, tmp_path, capsys):
    save_file({"a": broken, "b": torch.randn(30, 20)}, tmp_path / "x.safetensors")
    words = ["--layers.redraws", "0", "--layers.bootstraps", "0", "--out", str(tmp_path / "out")]
    code = main([str(tmp_path / "x.safetensors"), *words])
    assert code == (3 if broken.isnan().any() else 0)
    for name in ("layers", "spectrum", "weights", "histogram", "degrees", "bimodality"):
        assert "b" in set(pd.read_csv(tmp_path / "out" / "tables" / f"{name}.csv")["name"])


def test_several_paths_of_which_one_is_rubbish_are_partial(path, tmp_path):
    (tmp_path / "rubbish.pt").write_bytes(b"rubbish")
    code, out, err = command("analyze", path, tmp_path / "rubbish.pt", "--only", "layers", *QUICK, "--out", tmp_path / "out")
    assert code == 3
    assert "rubbish.pt" in err
    assert "report:" in out


def test_what_no_net_of_this_kind_has_is_skipped_and_no_fault(tmp_path, capsys):
    spec = rl.preset("first").but(net="conv", channels="2,3", epochs=1, levels=1, batch=400, seeds=(0,))
    run = rl.fit(spec, tmp_path)
    assert main([str(run.path), "--only", "jacobian,freeness", "--jacobian.samples", "2"]) == 0
    assert "freeness: is about nets of kind fc, not conv" in capsys.readouterr().out


def test_workers_are_for_checkpoints(tiny_run):
    with pytest.raises(rl.Refusal, match="--workers shares the layers of a checkpoint, and a run is asked in one process"):
        main([str(tiny_run.path), "--only", "weights", "--workers", "2"])
