"""Early stopping looks at validation, and at nothing else."""

from dataclasses import replace

import pytest

import rmtlottery as rl
from rmtlottery.analyze._stopping import taken


def recorded(ticket, rows):
    return replace(ticket, record=ticket.record | {"metrics": rows})


def test_stopped_is_the_first_epoch_that_is_best_on_validation_whatever_the_test_says(tiny_run):
    scores = [(0.2, 0.9), (0.6, 0.3), (0.6, 0.8), (0.5, 0.7)]
    rows = [{"epoch": n, "validation_accuracy": v, "test_accuracy": t} for n, (v, t) in enumerate(scores)]
    ticket = recorded(tiny_run[0, 1], rows)
    assert taken(ticket, stopped=True) == rows[1]
    assert taken(ticket, stopped=False) == rows[3]


def test_stopping_takes_a_validation_part(tiny_run):
    ticket = recorded(tiny_run[0, 1], [{"epoch": 1, "test_accuracy": 0.5}])
    with pytest.raises(rl.Refusal, match="was trained without a validation part to stop on"):
        taken(ticket, stopped=True)
    assert taken(ticket, stopped=False)["epoch"] == 1
