"""Every part says what it compares, and how the two sides differ; those of theory agree before they are timed."""

from importlib import import_module
from inspect import isgeneratorfunction

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import fixed_points, quadrature


@pytest.mark.parametrize("name", command.PARTS)
def test_a_part_says_what_it_compares(name):
    part = import_module(f"benchmarks.{name}")
    assert "against" in part.__doc__.splitlines()[0]
    assert part.DIFFERS.endswith(".")
    assert isgeneratorfunction(part.measure)


def test_helpers_are_no_parts():
    assert {"loop", "fcnet", "growth"} <= set(command.PARTS)
    assert not [name for name in command.PARTS if name.startswith("_")]
    assert set(command.PARTS) >= command.WHEN_NAMED


def test_a_part_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match="no benchmark is called lop; there are"):
        command.main(["lop"])


def test_a_part_run_alone_leaves_the_table_on_disk_as_it_is(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(command, "described", lambda: "")
    command.main(["quadrature"])
    assert not list(tmp_path.iterdir())
    assert quadrature.DIFFERS in capsys.readouterr().out


def test_all_parts_leave_one_table_with_the_machine(monkeypatch, tmp_path):
    import pandas as pd

    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(command, "PARTS", ["quadrature", "growth"])
    monkeypatch.setattr(command, "described", lambda: "")
    command.main([])
    table = pd.read_csv(tmp_path / "results.csv")
    assert list(table) == [*command.COLUMNS, *command.OF_LIMITS, "machine"]
    assert list(table["benchmark"]) == ["quadrature"]
    assert "torch" in table["machine"][0]


def test_both_sides_of_the_fixed_points_agree():
    sigmas = np.array([0.7, 1.4, 3.0]), np.array([0.02, 0.3, 0.9])
    np.testing.assert_allclose(fixed_points.ours(*sigmas), fixed_points.other(*sigmas), rtol=1e-9)
