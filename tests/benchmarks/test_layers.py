"""Layers: whose weights, what each side is asked, and that both find the same where both say that they look for the same."""

import io
import json
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

from benchmarks import _layers, layers
from rmtlottery.measure.layers import eigenvalues
from rmtlottery.spectra.power_law import fit_power_law

SMALL = {"wide": (40, 90), "tall": (70, 30), "conv": (16, 8, 3, 3)}
ASKED = "from pathlib import Path; from benchmarks._layers import theirs; print(theirs(Path({}), mp_fit=True).to_json())"


def test_the_shapes_are_those_of_the_nets():
    resnet = _layers.resnet18()
    assert sum(map(math.prod, resnet.values())) == 11_689_512 - 2 * 4_800 - 1_000  # less batch norms and the last bias
    assert len(resnet) == 21
    assert [resnet[f"layer3.0.{name}"] for name in ("conv1", "downsample.0")] == [(256, 128, 3, 3), (256, 128, 1, 1)]
    assert sum(map(math.prod, _layers.FCNET.values())) == 3072 * 256 + 7 * 256**2 + 2560


def test_weights_have_variance_one_over_fan_in(tmp_path):
    weights = load_file(_layers.written({"fc": (300, 200), "conv": (100, 70, 3, 3)}, tmp_path / "net"))
    assert {name: tuple(weight.shape) for name, weight in weights.items()} == {
        "fc.weight": (300, 200),
        "conv.weight": (100, 70, 3, 3),
    }
    for weight in weights.values():
        fan_in = math.prod(weight.shape[1:])
        assert weight.square().mean().item() * fan_in == pytest.approx(1, abs=5 * (2 / weight.numel()) ** 0.5)


def test_each_side_is_asked_as_the_case_says(monkeypatch):
    asked = []
    monkeypatch.setattr(_layers, "ours", lambda path, **options: asked.append(("ours", path.parent.name, options)))
    monkeypatch.setattr(_layers, "theirs", lambda path, **options: asked.append(("theirs", path.parent.name, options)))
    monkeypatch.setattr(_layers, "pairs", lambda case, *sides: [side() for side in sides] and {"case": case})
    monkeypatch.setattr(_layers, "resnet18", lambda: {"fc": (3, 4)})
    cases = [row["case"] for row in _layers.rows()]
    assert cases[:4] == ["FCNet", "FCNet, Marchenko-Pastur", "FCNet, Marchenko-Pastur and redraws", "ResNet-18"]
    assert len(cases) == 4 + 3 * len(_layers.WIDE)
    assert asked[2:6] == [
        ("ours", "fcnet", _layers.PLAIN),
        ("theirs", "fcnet", {"mp_fit": True}),
        ("ours", "fcnet", {}),
        ("theirs", "fcnet", {"mp_fit": True, "randomize": True}),
    ]
    assert [net for _, net, _ in asked] == ["fcnet"] * 6 + ["resnet18"] * 2


def test_every_decomposition_finds_the_same(monkeypatch):
    found = []
    monkeypatch.setattr(_layers, "pairs", lambda case, mine, other: found.append((mine(), other())) or {"case": case})
    list(_layers.decompositions(np.random.default_rng(1).standard_normal((20, 60))))
    assert len(found) == 3
    for mine, other in found:
        np.testing.assert_allclose(mine[::-1], np.asarray(other) ** 2, rtol=1e-12)


def test_a_peer_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(layers, "PEERS", tmp_path)
    with pytest.raises(SystemExit, match=r"WeightWatcher, .* is not in .*: make \.venv-bench/installed"):
        list(layers.measure())


@pytest.fixture
def child(monkeypatch, tmp_path):
    """Takes the place of the process that measures; the peers are there."""
    (tmp_path / "installed").touch()
    monkeypatch.setattr(layers, "PEERS", tmp_path)
    monkeypatch.setattr(layers, "FOLDER", tmp_path)
    return lambda code: monkeypatch.setattr(layers, "CHILD", (sys.executable, "-c", code))


def test_rows_are_those_of_a_process_with_one_thread_that_sees_the_peers(child):
    child("import json, os\nfor name in 'OMP_NUM_THREADS', 'PYTHONPATH': print(json.dumps({'case': os.environ[name]}))")
    assert list(layers.measure()) == [{"case": "1"}, {"case": str(layers.PEERS)}]
    assert (layers.FOLDER / "layers.csv").read_text() == f"case\n1\n{layers.PEERS}\n"


def test_a_process_that_fails_fails_the_part(child):
    child("print('{}'); raise SystemExit(7)")
    rows = layers.measure()
    assert next(rows) == {}
    with pytest.raises(SystemExit, match="ended with exit code 7"):
        next(rows)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The other side's table, by name, and the eigenvalues of every layer."""
    path = _layers.written(SMALL, tmp_path_factory.mktemp("layers") / "net")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(layers.PEERS)}
    command = [sys.executable, "-c", ASKED.format(repr(str(path)))]
    done = subprocess.run(command, cwd=layers.ROOT, env=environment, capture_output=True, text=True, check=True)
    spectra = {name.removesuffix(".weight"): eigenvalues(weight) for name, weight in load_file(path).items()}
    return pd.DataFrame(json.load(io.StringIO(done.stdout))).set_index("name"), spectra


needs_peers = pytest.mark.skipif(not (layers.PEERS / "installed").exists(), reason="make .venv-bench/installed")


@needs_peers
@pytest.mark.slow
@pytest.mark.parametrize("name", ["wide", "tall"])
def test_both_sides_find_the_same_of_a_dense_layer(both, name):
    table, spectra = both
    theirs, values = table.loc[name], spectra[name]
    tail = fit_power_law(values, bootstraps=0)
    mine = [values.sum(), values.max(), values.sum() / values.max(), len(values), tail.alpha, tail.xmin]
    columns = ["norm", "lambda_max", "stable_rank", "matrix_rank", "alpha", "xmin"]
    np.testing.assert_allclose(theirs[columns].to_numpy(float), mine, rtol=1e-6)


@needs_peers
@pytest.mark.slow
def test_the_other_takes_half_of_the_slices_of_a_convolution(both):
    table, spectra = both
    assert table.loc["conv", "norm"] == pytest.approx(spectra["conv"].sum() / 2)
    assert table.loc["conv", "num_evals"] == 8 * 9
