"""What stays the same while a level trains."""

import pytest
import torch

from rmtlottery.train.level import begin
from tests.train.making import SPEC, level_of


def test_every_sample_is_taken_once_an_epoch():
    level, _ = level_of(SPEC, [0])
    taken = [level.samples(place) for place in range(level.steps_an_epoch)]
    assert taken == [100] * 12 + [93]
    assert sum(taken) == len(level.data.train)


@pytest.mark.parametrize(("step", "stop"), [(0, 5), (5, 7), (6, 7), (7, 13), (12, 13), (13, 26)])
def test_steps_in_a_row_end_where_weights_are_kept_and_with_the_epoch(step, stop):
    level, _ = level_of(SPEC.but(snapshots=(5,), rewind=7), [0])
    assert level.stop(step) == stop


def test_a_state_begins_at_the_charts_start_and_shares_nothing_with_it():
    level, _ = level_of(SPEC, [3, 5], number=1)
    state = begin(level, [3, 5])
    assert torch.equal(state.tensors["coordinates"], level.chart.start)
    state.tensors["coordinates"].add_(1)
    assert not torch.equal(state.tensors["coordinates"], level.chart.start)
    assert (state.step, state.seeds, state.rows) == (0, [3, 5], [[], []])
