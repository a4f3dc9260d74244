"""What README and CONTRIBUTING show is run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import rmtlottery as rl
from rmtlottery import study
from rmtlottery.analyze import _questions
from rmtlottery.analyze.rungs.names import LADDER, T2, T3, T7, T9, T9B
from rmtlottery.meanfield.activations import ACTIVATIONS
from tests.commands import command

ROOT = Path(__file__).parents[1]
DOCS = sorted(path.parent for path in (ROOT / "docs").glob("*/README.md"))
STUDIED = [folder for folder in DOCS if (folder / "spec.json").exists()]


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(), re.S)


def test_the_quickstart_runs_in_twelve_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RMTL_RUNS", raising=False)
    quickstart = blocks("README.md", "python")[0]
    assert len(quickstart.strip().splitlines()) <= 12
    subprocess.run([sys.executable, "-W", "error", "-c", quickstart], check=True, timeout=120)
    assert (tmp_path / "qmap.png").stat().st_size > 10_000
    assert len(rl.Run(tmp_path / "runs" / "first-lr=0.003")) == 21


def test_a_net_and_data_of_ones_own_run_as_they_are_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RMTL_RUNS", raising=False)
    own = blocks("README.md", "python")[1]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", own], check=True, timeout=120, capture_output=True, text=True
    )
    assert "test" in done.stdout
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["mine", "mine-on-shuffle_mask-7"]


def test_a_subspace_of_ones_own_module_runs_as_it_is_written(tmp_path):
    own = next(block for block in blocks("README.md", "python") if "Subspace" in block)
    subprocess.run([sys.executable, "-W", "error", "-c", own], check=True, timeout=120, cwd=tmp_path)
    assert (tmp_path / "theta.pt").stat().st_size < 6902


def test_the_commands_run_as_they_are_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RMTL_RUNS", raising=False)
    lines = [line for block in blocks("README.md", "bash") for line in block.splitlines() if line.startswith("python")]
    assert len(lines) == 7
    for line in lines:
        code, _, err = command(*line.removeprefix("python -m rmtlottery.").split())
        assert code == 0, f"{line}: {err}"


def test_make_has_the_targets_that_are_named():
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text())
    assert {"demo", "test", "test-all", "bench"} <= set(named)
    assert all(re.search(rf"^{name}:", makefile, re.M) for name in named)


def test_every_room_is_on_the_map():
    rooms = {path.parent.name for path in (ROOT / "rmtlottery").glob("*/__init__.py")}
    table = (ROOT / "README.md").read_text().split("## The rooms")[1].split("## ")[0]
    assert rooms == set(re.findall(r"`(\w+)`", table))


def test_every_rung_is_on_the_ladder():
    text = (ROOT / "README.md").read_text()
    for rung in LADDER:
        assert f"| {rung.split()[0]} |" in text


def test_every_function_of_theory_that_is_named_is_there():
    table = (ROOT / "README.md").read_text().split("## Theory")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", table)) - set(ACTIVATIONS) - set(_questions.questions())
    assert len(named) > 20
    assert not {name for name in named if not hasattr(rl.meanfield, name)}


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "data/README.md", *(str(folder / "README.md") for folder in DOCS)):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / name).read_text()):
            assert ((ROOT / name).parent / link).exists(), f"{name} links to {link}"


def test_the_recipe_for_an_analysis_works_in_one_file(tiny_run, tmp_path):
    """In a copy of the package, so that no other test sees it."""
    import pandas as pd

    whole = shutil.ignore_patterns("__pycache__")
    copy = shutil.copytree(ROOT / "rmtlottery", tmp_path / "copy" / "rmtlottery", ignore=whole)
    (source,) = blocks("CONTRIBUTING.md", "python")
    (copy / "analyze" / "recipe.py").write_text(source)
    words = (tiny_run.path, "--only", "recipe", "--recipe.order", 1, "--out", tmp_path)
    code, _, err = command("analyze", *words, cwd=copy.parent)
    assert code == 0, err
    assert "How far do the kept weights move in training?" in (tmp_path / "report-recipe.html").read_text()
    table = pd.read_csv(tmp_path / "tables" / "recipe.csv")
    assert len(table) == 8 * 3
    assert table["moved"].between(0.001, 2).all()


@pytest.mark.parametrize("folder", STUDIED, ids=lambda folder: folder.name)
def test_the_numbers_of_the_docs_are_those_of_the_stored_tables(folder):
    import pandas as pd

    text, tables = (folder / "README.md").read_text(), sorted(folder.glob("*.csv*"))
    assert tables
    for path in tables:
        table, name = pd.read_csv(path), path.name.partition(".")[0].partition("-")[0]
        if name == "rates":
            continue
        module = _questions.analysis(name)
        assert module.headline(table) in text
        assert module.plot(table).axes
        plt.close("all")


RUN_OF = {
    ("lens_fc", "adam"): "normal",
    ("lens_fc", "sgd"): "sgd",
    ("lens_fc_orthogonal", "adam"): "orthogonal",
    ("lens_fc_divided", "adam"): "divided",
    ("lens_conv_small", "adam"): "conv",
}


def test_the_rates_of_the_lens_study_are_those_that_validation_chose():
    import pandas as pd

    text = (ROOT / "docs" / "rmt_lens" / "README.md").read_text()
    table = pd.read_csv(ROOT / "docs" / "rmt_lens" / "rates.csv")
    means = table.groupby(["preset", "optimiser", "lr"]).mean(numeric_only=True)
    for (preset, optimiser, lr), row in means.iterrows():
        words = f"| {preset} | {optimiser} | {lr:g} | {row['train']:.1%} | {row['validation']:.1%} | {row['test']:.1%} |"
        assert words in text
    best = means["validation"].groupby(["preset", "optimiser"]).idxmax()
    chosen = {RUN_OF[preset, optimiser]: lr for preset, optimiser, lr in best}
    tried = table.groupby(["preset", "optimiser"])["lr"]
    assert all(tried.min()[preset, optimiser] < lr < tried.max()[preset, optimiser] for preset, optimiser, lr in best)
    assert chosen == {name: spec.optimiser.lr for name, spec in study.load("rmt_lens").STUDY.items()}


def test_the_table_of_costs_is_that_of_the_benchmarks():
    import pandas as pd

    text = (ROOT / "docs" / "cost" / "README.md").read_text()
    for row in pd.read_csv(ROOT / "benchmarks" / "results.csv").itertuples():
        assert f"| {row.benchmark} | {row.case} | {row.ours_s:.3g} s |" in text
        if row.ratio == row.ratio:
            assert f"| {row.ratio:.3g}x [{row.ratio_least:.3g}, {row.ratio_largest:.3g}] |" in text


def test_what_bf16_does_to_accuracy_is_in_its_table():
    import pandas as pd

    table = pd.read_csv(ROOT / "docs" / "cost" / "precision.csv")
    apart = table.pivot_table("test_accuracy", ["seed", "level"], "precision").eval("bf16 - fp32")
    by_seed = apart.groupby("seed").mean()
    assert len(apart) == 48
    words = (
        f"{by_seed.mean():+.4f}, with a standard error over seeds of {by_seed.std() / 3**0.5:.4f}; single levels\n"
        f"of single seeds differ by {apart.std():.4f} (std)"
    )
    before = pd.read_csv(ROOT / "docs" / "lens_quick" / "accuracy.csv").query("split == 'test'")
    now = table[table["precision"] == "fp32"].set_index(["seed", "level"])["test_accuracy"]
    text = (ROOT / "docs" / "cost" / "README.md").read_text()
    assert words in text
    assert f"they differ by {(now - before.set_index(['seed', 'level'])['accuracy']).std():.4f}" in text


def rungs(folder):
    """q of every source in every cell after layer 1, and the bar, of a stored table."""
    import pandas as pd

    table = pd.read_csv(ROOT / "docs" / folder / "qmap.csv.gz")
    cells = ["state", "seed", "level", "density", "layer"]
    bar = table.groupby(cells)["bar"].mean().rename("bar")
    return table.pivot_table("q", cells, "source").join(bar).reset_index()


def test_what_the_lens_says_of_T7_and_T9_is_in_its_table():
    q, text = rungs("lens_quick"), (ROOT / "docs" / "lens_quick" / "README.md").read_text()
    q = q[(q["layer"] > 1) & (q["density"] >= 0.1)]
    rewound, trained = q[q["state"] == "rewound"], q[q["state"] == "trained"]
    off = {source: (part[source] / part["measured"] - 1).abs() for part in [rewound] for source in (T7, T9)}
    assert off[T9].max() < 0.05
    assert f"T7 is within {off[T7].max():.1%}".replace("%", " %") in text
    far = (trained[T9] / trained["measured"] - 1).abs()
    assert far[trained["layer"] < 8].max() < 0.1
    assert f"too low by up to {far.max():.1%}".replace("%", " %") in text
    assert (trained[T9B] / trained["measured"] - 1).abs().max() < 0.1


def test_what_the_shuffled_control_says_of_the_bar_is_in_its_table():
    q, text = rungs("lens_quick_shuffled"), (ROOT / "docs" / "lens_quick_shuffled" / "README.md").read_text()
    inside = {rung: np.abs(np.log(q[rung] / q["measured"])) <= np.log1p(q["bar"]) for rung in (T2, T3)}
    assert f"in {inside[T3].mean():.0%} of all cells".replace("%", " %") in text
    assert f"in {inside[T2][q['layer'] > 2].mean():.0%} of the cells of layers 3 to 8".replace("%", " %") in text
    assert inside[T2][q["layer"] == 1].mean() < 0.1


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("digits", rl.preset("digits").but(name="digits")),
        ("lens_quick_shuffled", rl.preset("lens_fc_quick").but(seeds=(0, 1, 2), name="lens_fc_quick")),
        ("lens_quick", rl.preset("lens_fc_quick").but(seeds=(0, 1, 2), name="lens_fc_quick")),
        ("lens_spectra", rl.preset("lens_fc_quick").but(seeds=(0, 1, 2), name="lens_fc_quick")),
        (
            "lens_quick_all",
            rl.preset("lens_fc_quick").but(
                validation=0, levels=10, seeds=(0, 1), name="lens_fc_quick-validation=0-levels=10"
            ),
        ),
        (
            "lenet",
            rl.preset("lenet_300_100").but(
                epochs=5, levels=14, seeds=(0, 1, 2, 3, 4), name="lenet_300_100-epochs=5-levels=14"
            ),
        ),
    ],
)
def test_the_specs_of_the_docs_are_those_of_the_studies(name, spec):
    assert rl.Spec.from_json((ROOT / "docs" / name / "spec.json").read_text()) == spec


def test_what_the_spectra_document_says_of_directions_and_spikes_is_in_its_tables():
    import numpy as np
    import pandas as pd

    folder = ROOT / "docs" / "lens_spectra"
    text = " ".join((folder / "README.md").read_text().split())
    table = pd.read_csv(folder / "jacobian.csv.gz").query("span == 'hidden'")
    edges = table[(table["source"] == "own spectra") & (table["bin"] == 0)].set_index(["state", "level", "seed"])["edge"]
    measured = table[table["source"] == "measured"].join(edges.rename("bulk"), on=["state", "level", "seed"])
    beyond = measured[measured["log10"] - 0.1 > np.log10(measured["bulk"])]
    number = (256 * 0.2 * beyond.groupby(["state", "level", "seed"])["share"].sum()).groupby(["state", "level"]).mean()
    here = {state: [f"{number[state].get(level, 0):.1f}" for level in (0, 3, 8, 15)] for state in ("rewound", "trained")}
    dense, half, sparse, sparsest = here["rewound"]
    assert f"{dense} of 256 squared singular values" in text
    assert f"100 %, {half} at 51 %, {sparse} at 17 %, {sparsest} at 3.6 %" in text
    assert "{}, {}, {} and {}".format(*here["trained"]) in text
    layers = pd.read_csv(folder / "layers.csv.gz").query("state == 'rewound'")
    inner = layers[layers["layer"].between(2, 6)]
    assert f"spikes in {(inner['spikes'] > 0).sum()} of {len(inner)} cells" in text
    ends = [int((layers.loc[layers["layer"] == layer, "spikes"] > 0).sum()) for layer in (1, 7, 8)]
    assert "({}, {} and {} of 48 cells)".format(*ends) in text


def test_false_alarms_are_as_the_documents_say():
    import pandas as pd

    table = pd.read_csv(ROOT / "docs" / "spectra" / "false_alarms.csv")
    pooled = table[table["case"] == "all"].set_index("test")
    asked = pooled.loc["redraws"]
    words = f"On {asked['layers']} purely random\nmasked layers the spike test at level 1 % fired {asked['fired']} times"
    assert words in (ROOT / "README.md").read_text()
    assert pooled.loc["heavy tail", "fired"] == 0
    held = table[~table["test"].isin(["tracy-widom"])]
    assert (held["fired"] <= held["bound"]).all()


def test_the_times_of_layers_are_those_of_their_table():
    import pandas as pd

    text = (ROOT / "docs" / "spectra" / "README.md").read_text()
    for row in pd.read_csv(ROOT / "docs" / "spectra" / "layers.csv").itertuples():
        spread = f"{row.ratio:.3g}x [{row.ratio_least:.3g}, {row.ratio_largest:.3g}]"
        assert f"| {row.ours_s:.3g} s | {row.other_s:.3g} s | {spread} |" in text
