"""The map of the house: who may import whom, and where each room's tests stand."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rmtlottery"

THEORY = {"meanfield", "spectra", "width"}
MAKING = {"datasets", "nets", "charts", "prune"}
ROOMS = {
    "meanfield": set(),
    "spectra": {"meanfield"},
    "width": {"meanfield"},
    "tickets": set(),
    "work": set(),
    "datasets": {"tickets"},
    "nets": {"tickets"},
    "charts": {"tickets"},
    "prune": {"tickets", "nets", "spectra"},
    "train": MAKING | {"tickets", "work"},
    "measure": {"nets", "charts", "tickets", "datasets"},
    "report": set(),
    "analyze": THEORY | {"measure", "tickets", "work", "report"},
}
GROUND = {"refusal"}
COMMANDS = {"train.__main__", "analyze.__main__", "datasets.__main__", "study", "doctor", "console", "preview"}
ALONE_OF_OURS = THEORY
THEORY_MAY_IMPORT = {"numpy", "scipy", "collections", "dataclasses", "typing", "difflib", "functools", "itertools", "math"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def module(path):
    """train/loop.py -> train.loop; a package's __init__ is the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path):
    """Full names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
            if node.module == "rmtlottery":
                yield from (f"rmtlottery.{alias.name}" for alias in node.names)


def ours(path):
    """What a file imports of ours, as names below rmtlottery."""
    return {name.removeprefix("rmtlottery.") for name in imports(path) if name.startswith("rmtlottery.")}


def test_every_room_is_in_the_table():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(ROOMS), "a new room is written in ROOMS, with whom it may import, before anything moves in"


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_a_file_imports_only_what_its_room_may(path):
    name = module(path)
    if name in COMMANDS or name == "__init__":
        return
    room = name.partition(".")[0]
    allowed = {room} | ROOMS.get(room, set()) | (GROUND if room not in ALONE_OF_OURS else set())
    strangers = {found for found in ours(path) if found.partition(".")[0] not in allowed}
    assert not strangers, f"{name} may import {sorted(allowed)}, not {sorted(strangers)}"


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_nothing_but_a_command_imports_a_command(path):
    assert module(path) in COMMANDS or not ours(path) & COMMANDS


@pytest.mark.parametrize("path", [path for path in SOURCES if module(path).partition(".")[0] in THEORY], ids=module)
def test_theory_knows_arrays_and_nothing_else(path):
    outside = {name.partition(".")[0] for name in imports(path) if not name.startswith("rmtlottery")}
    assert outside <= THEORY_MAY_IMPORT


@pytest.mark.parametrize("path", sorted((ROOT / "analyses").glob("*.py")), ids=lambda path: path.stem)
def test_a_study_is_nouns(path):
    tree = ast.parse(path.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.Lambda)]
    assert set(imports(path)) == {"rmtlottery"}
    names = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
    assert {"RUNS", "FIGURES"} <= names


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "__init__.py"], ids=module)
def test_tests_mirror_the_package(path):
    place = ROOT / "tests" / path.relative_to(PACKAGE).parent
    mirrors = [place / f"test_{path.stem.strip('_')}.py", place.parent / f"test_{place.name}.py"]
    assert any(mirror.exists() for mirror in mirrors), f"{module(path)} is tested in {mirrors[0].relative_to(ROOT)}"


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_a_file_and_its_functions_are_small(path):
    tree = ast.parse(path.read_text())
    assert path.read_text().count("\n") <= 260
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 40, f"{node.name} is long"
            assert len(node.args.args) + len(node.args.kwonlyargs) <= 9, f"{node.name} takes too many parameters"


def test_an_analysis_asks_a_question_and_has_a_table_and_a_plot():
    for path in sorted((PACKAGE / "analyze").glob("[!_]*.py")):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree).partition("\n")[0].endswith("?"), f"{path.stem} asks nothing"
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert {"table", "plot"} <= set(functions)
        assert len(functions["table"].args.args) == 1, f"{path.stem}: options of table are keyword-only"
