"""A checkpoint is taken up if it began where the level begins, and by nothing else."""

from dataclasses import replace

import pytest
import torch

from rmtlottery.charts.chart import full
from rmtlottery.tickets.progress import Progress
from rmtlottery.train import saving
from rmtlottery.train.behind import Behind
from rmtlottery.train.loop import train
from rmtlottery.train.saving import Saving
from tests.train.making import SPEC, level_of


def left_halfway(tmp_path, monkeypatch):
    """A level, its Saving, and a checkpoint after some steps."""
    monkeypatch.setattr(saving, "SAVE_EVERY", -1.0)
    level, _ = level_of(SPEC, [0, 1])
    held = Saving(Progress(tmp_path, "unit"), {"threads": 1}, "cpu", lambda level, state: None)
    asked = iter([False] * 9)
    with Behind() as behind, pytest.raises(KeyboardInterrupt):
        train(level, held.resume(level, [0, 1]), held.ticker(level, lambda: next(asked, True), behind))
    return level, held


def test_it_goes_on_from_where_it_was_stopped(tmp_path, monkeypatch):
    level, held = left_halfway(tmp_path, monkeypatch)
    assert 0 < held.resume(level, [0, 1]).step < level.last_step


def test_what_began_elsewhere_is_begun_anew(tmp_path, monkeypatch):
    level, held = left_halfway(tmp_path, monkeypatch)
    moved = replace(level, chart=full(level.chart.start + 1))
    twice = replace(level, chart=level.chart._replace(weights=lambda coordinates: 2 * coordinates))
    others = [(held, moved, [0, 1]), (held, twice, [0, 1]), (held, level, [1, 0]), (replace(held, unit={}), level, [0, 1])]
    assert [one.resume(job, seeds).step for one, job, seeds in others] == [0] * 4


def test_what_is_watched_is_every_step(tmp_path):
    level, _ = level_of(SPEC, [0])
    seen = []
    held = Saving(Progress(tmp_path, "unit"), {}, "cpu", lambda level, state: seen.append(state.step))
    with Behind() as behind:
        train(level, held.resume(level, [0]), held.ticker(level, lambda: False, behind))
    assert seen == list(range(1, level.last_step + 1))
    assert torch.isfinite(level.chart.start).all()
