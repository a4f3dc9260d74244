"""Compression by masks and by subspaces, told apart by what training was used for."""

from dataclasses import replace

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.compression import (
    AXES,
    BOTH,
    GENERAL,
    NOTHING,
    SPACE,
    START,
    WHOLE,
    headline,
    largest,
    plot,
    table,
    uses,
)
from rmtlottery.train.child import child
from tests.conftest import TINY

SPEC = TINY.but(levels=1, record={"snapshots": (5, 11)}, name="whole")
WAYS = {
    (GENERAL, NOTHING): {"chart": "affine", "dim": 20, "at": (0,)},
    (GENERAL, START): {"chart": "affine", "dim": 20, "at": (0,), "control": "after:5"},
    (GENERAL, SPACE): {"chart": "principal", "dim": 2, "at": (0,)},
    (GENERAL, BOTH): {"chart": "principal", "dim": 2, "at": (0,), "control": "after:5"},
    (AXES, NOTHING): {"at": (1,), "control": "random_mask"},
    (AXES, SPACE): {"at": (1,), "control": "rewound"},
    (AXES, BOTH): {"at": (1,), "control": "trained"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("compression")
    whole = rl.fit(SPEC, root, threads=1)
    return {"parent": whole} | {way: child(whole, root, changed, threads=1) for way, changed in WAYS.items()}


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_a_child_is_told_by_its_space_and_its_use_of_training(runs, way):
    (row,) = table(next(iter(runs[way]))).to_dict("records")
    assert (row["space"], row["uses"]) == way


@pytest.mark.parametrize("control", ["snip_mask", "init_mask", "shuffle_mask"])
def test_masks_that_no_training_told_use_none(runs, control):
    made = rl.controls.CONTROLS[control](runs["parent"][0, 1], 0)
    assert uses(replace(made, record={**made.record, "metrics": runs["parent"][0, 1].metrics})) == NOTHING


def test_masks_at_init_use_no_training(runs):
    ticket = runs["parent"][0, 1]
    assert uses(replace(ticket, spec=ticket.spec.but(prune="at_init"))) == NOTHING


@pytest.mark.parametrize(
    ("control", "use"), [("random_mask", START), ("rewound", BOTH), ("random_mask,fresh_init", NOTHING)]
)
def test_a_start_that_a_rewind_took_from_training_uses_it(tmp_path, control, use):
    late = rl.fit(SPEC.but(rewind=5, name="late"), tmp_path, threads=1)
    (found,) = {uses(ticket) for ticket in child(late, tmp_path, {"at": (1,), "control": control}, threads=1)}
    assert found == use


@pytest.mark.parametrize("control", ["toward:0.5", "around:0.5", "after:5", "trained"])
def test_starts_that_training_told_use_it(runs, control):
    made = rl.controls.named(control)(runs["parent"][0, 0], 0)
    assert uses(replace(made, record={**made.record, "metrics": runs["parent"][0, 0].metrics})) == START


def test_what_is_trained_is_counted_with_biases(runs):
    ambient = 64 * 12 + 12 * 8 + 8 * 10 + 30
    dense, pruned = (table(runs["parent"][0, level]).iloc[0] for level in (0, 1))
    assert (dense["space"], dense["trained"], dense["compression"]) == (WHOLE, ambient, 1)
    kept = sum(int(mask.sum()) for mask in runs["parent"][0, 1].mask.values()) + 30
    assert (pruned["space"], pruned["uses"], pruned["trained"]) == (AXES, SPACE, kept)
    few = table(next(iter(runs[GENERAL, SPACE]))).iloc[0]
    assert few["compression"] == ambient / 2


def rows(accuracies, compressions=(2, 8, 32)):
    return pd.DataFrame({"compression": compressions, "accuracy": accuracies})


def test_the_largest_lies_in_the_logarithm_between_what_was_trained():
    assert largest(rows([0.9, 0.8, 0.6]), 0.7) == pytest.approx(16)
    assert largest(rows([0.9, 0.8, 0.6]), 0.5) == 32
    assert largest(rows([0.9, 0.8, 0.6]), 0.95) == 0
    assert largest(rows([0.9, 0.6, 0.8]), 0.75) == pytest.approx(2 * 4**0.5)


def test_figure_and_headline(runs):
    found = rl.tabulate("compression", [ticket for run in runs.values() for ticket in run], share=0.5)
    assert len(plot(found).axes) == 1
    told = headline(found)
    assert "50 % of the" in told
    assert told.count("training used for") == len(WAYS)
    few = found[found["space"] != WHOLE]
    assert "no net of all weights is among these" in headline(few)


@pytest.mark.parametrize("share", [0, 1.5])
def test_a_share_is_part_of_an_accuracy(runs, share):
    with pytest.raises(rl.Refusal, match="is no part of an accuracy"):
        table(runs["parent"][0, 0], share=share)


def test_an_untrained_ticket_is_refused(runs):
    with pytest.raises(rl.Refusal, match="was not trained here"):
        table(rl.controls.rewound(runs["parent"][0, 0], 0))
