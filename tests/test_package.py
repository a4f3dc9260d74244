"""What everyone touches: a quick import, quick help, names that exist, a wheel that is whole."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rmtlottery as rl
from tests.commands import command

ROOT = Path(__file__).parents[1]
COMMANDS = ["train", "analyze", "study", "doctor", "datasets"]


def test_every_public_name_is_there_and_a_wrong_one_is_answered():
    assert all(getattr(rl, name) is not None for name in rl.__all__)
    with pytest.raises(AttributeError, match="rmtlottery has no 'tabluate'; it has"):
        rl.tabluate  # noqa: B018
    assert "fit" in dir(rl)


def test_no_public_function_hides_a_package_that_a_command_needs():
    assert not {"train", "analyze", "study", "doctor"} & set(rl.__all__)


def test_importing_us_imports_nothing_heavy():
    code = (
        "import sys, rmtlottery; rmtlottery.Spec; rmtlottery.presets()\n"
        "print([name for name in ('torch', 'numpy', 'pandas') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_imports_no_torch_and_its_example_runs(name, tmp_path, tiny_run, monkeypatch):
    watched = (
        "import sys, runpy\n"
        "sys.argv = ['x', '--help']\n"
        f"try:\n    runpy.run_module('rmtlottery.{name}', run_name='__main__', alter_sys=False)\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'numpy', 'pandas'} & set(sys.modules), 'heavy'\n"
    )
    page = subprocess.check_output([sys.executable, "-c", watched], text=True, cwd=ROOT)
    example = page.split("example:\n")[1].splitlines()[0].split()
    assert example[:3] == ["python", "-m", f"rmtlottery.{name}"]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "first").symlink_to(tiny_run.path)
    words = [str(tmp_path / word) if word.startswith("runs/") else word for word in example[3:]]
    words += ["--out", str(tmp_path / "out")] if name == "analyze" else []
    code, _, err = command(name, *words, env={"RMTL_RUNS": str(tmp_path / "new")})
    assert code == 0, err


def test_the_wheel_holds_the_data_the_studies_and_the_page(tmp_path):
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    wanted = ("data/digits.npz", "data/gpl-3.txt", "data/SHA256SUMS", "analyses/digits.py", "report/page.html", "py.typed")
    for name in wanted:
        assert f"rmtlottery/{name}" in names
    assert not [name for name in names if name.startswith("tests/")]


def test_an_installed_wheel_finds_its_data_and_studies(tmp_path):
    """Unpacked where no checkout is beside it."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(tmp_path / "site")
    code = (
        "import rmtlottery; assert 'site' in rmtlottery.__file__, rmtlottery.__file__\n"
        "from rmtlottery.datasets.bundled import bundled; from rmtlottery.study import studies\n"
        "print(bundled('digits.npz'), list(studies()))"
    )
    out = subprocess.check_output(
        [sys.executable, "-c", code], text=True, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}
    )
    assert f"{tmp_path}/site/rmtlottery/data/digits.npz" in out
    assert "digits" in out


def test_no_pickle_can_be_executed():
    """No line of ours unpickles: torch.load, pickle, np.load with pickles allowed."""
    for path in (ROOT / "rmtlottery").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("torch.load", "pickle.load", "pickle.loads", "pd.read_pickle"), path
            if called == "np.load":
                assert "allow_pickle=False" in ast.unparse(node), path


def test_a_version_1_spec_is_read_for_ever():
    spec = rl.Spec.from_json((ROOT / "tests" / "fixtures" / "spec-version-1.json").read_text())
    assert spec.seeds == (3, 1)
    assert (spec.name, spec.net.widths, spec.net.phi) == ("an old run", (40, 30), "erf")
    assert (spec.optimiser.kind, spec.optimiser.momentum, spec.optimiser.lr) == ("sgd", 0.8, 0.02)
    assert (spec.schedule.kind, spec.schedule.milestones) == ("steps", (3, 5))
    assert (spec.prune.levels, spec.prune.rate, spec.prune.rewind) == (4, 0.25, 7)
    assert (spec.data.kind, spec.data.inputs, spec.record.snapshots) == ("teacher", 20, (7, 9))
