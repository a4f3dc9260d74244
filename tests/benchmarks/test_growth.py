"""The growth of cost: its points, its table and its figure, on costs that are made up; and one point that is measured."""

import pandas as pd
import pytest

from benchmarks import _point, growth


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Costs in proportion to everything, into a folder of the test's own."""
    asked = []

    def point(here):
        asked.append(here)
        cost = here["width"] * here["depth"] * here["seeds"] * here["batch"]
        return {"step_s": 1e-9 * cost, "memory_bytes": 4 * cost}

    monkeypatch.setattr(growth, "point", point)
    monkeypatch.setattr(growth, "FOLDER", tmp_path / "cost")
    return asked


@pytest.mark.slow
def test_one_thing_varies_at_a_time_and_all_is_on_disk(made_up):
    rows = list(growth.measure())
    table = pd.read_csv(growth.FOLDER / "growth.csv")
    assert len(rows) == len(table) == sum(map(len, growth.VARIED.values()))
    for varied, part in table.groupby("varied"):
        fixed = [name for name in growth.BASE if name != varied]
        assert part[varied].tolist() == list(growth.VARIED[varied])
        assert all((part[name] == growth.BASE[name]).all() for name in fixed)
    assert made_up.count(growth.BASE) == 1
    assert (growth.FOLDER / "growth.png").stat().st_size > 10_000


def test_a_point_costs_time_and_memory(monkeypatch):
    monkeypatch.setattr(_point, "ENOUGH", 0.01)
    one = _point.spec(6, 2, 3, 16)
    assert (one.net.widths, one.seeds, one.schedule.batch, one.prune.levels) == ((6, 6), (0, 1, 2), 16, 0)
    assert -0.1 < _point.step_seconds(one) < 1
    assert 1e7 < _point.peak() < 1e12
