"""Tickets that were given to start from: copied whole, told apart, and refused where they make no run."""

import shutil

import pytest
import torch

import rmtlottery as rl
from rmtlottery.tickets.given import descent, keep, recall, taken
from rmtlottery.tickets.layout import start_file


@pytest.fixture
def control(tiny_run):
    return rl.controls.shuffle_mask(tiny_run[1, 2], 5)


def test_a_copy_is_what_was_given(tmp_path, control):
    keep(tmp_path, control)
    start, mask, facts = recall(tmp_path, 1, 2)
    assert set(start) == set(control.start)
    assert all(torch.equal(start[name], value) for name, value in control.start.items())
    assert all(torch.equal(mask[name], value) for name, value in control.mask.items())
    assert facts == descent(control)


def test_a_plain_ticket_descends_from_itself_and_a_control_from_its_parent(tiny_run, control):
    own = tiny_run[1, 2].record["sha256"]["weights"]
    assert descent(tiny_run[1, 2]) == {"parent": own, "control": "", "control_seeds": []}
    assert descent(control) == {"parent": own, "control": "shuffle_mask", "control_seeds": [5]}
    twice = rl.controls.flip_signs(control, 8)
    assert descent(twice) == {"parent": own, "control": "shuffle_mask,flip_signs", "control_seeds": [5, 8]}


def test_a_trained_control_starts_a_line_of_its_own(tiny, tmp_path, control):
    child = rl.fit(tiny, tmp_path, start=control)[1, 2]
    assert child.record["control"] == "shuffle_mask"
    held = descent(rl.controls.flip_signs(child, 1))
    assert held == {"parent": child.record["sha256"]["weights"], "control": "flip_signs", "control_seeds": [1]}


def test_a_part_tells_other_tickets_apart(tiny_run):
    first, again, other = (taken([rl.controls.shuffle_mask(tiny_run[0, 3], seed)]) for seed in (1, 1, 2))
    assert first == again != other
    assert (first.at, first.control, first.control_seeds) == ((3,), "shuffle_mask", (1,))


@pytest.mark.parametrize("places", [[(0, 1), (1, 2)], [(0, 1), (0, 1)], [(0, 1), (0, 2), (1, 1)]])
def test_tickets_that_make_no_grid_are_refused(tiny_run, places):
    with pytest.raises(rl.Refusal, match="no grid: take every level of every seed once"):
        taken([tiny_run[place] for place in places])


def test_tickets_of_different_controls_or_shapes_are_refused(tiny_run):
    pair = [rl.controls.shuffle_mask(tiny_run[0, 1], 0), rl.controls.shuffle_mask(tiny_run[1, 1], 4)]
    with pytest.raises(
        rl.Refusal, match=r"different controls \(shuffle_mask with seeds \(0,\), shuffle_mask with seeds \(4,\)\)"
    ):
        taken(pair)
    narrow = [rl.controls.small_dense(tiny_run[0, level], 0) for level in (0, 3)]
    with pytest.raises(rl.Refusal, match="weights of different shapes; train each by itself"):
        taken(narrow)


def test_an_altered_or_missing_copy_is_refused(tmp_path, control):
    keep(tmp_path, control)
    path = start_file(tmp_path, 1, 2)
    held = bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)
    with pytest.raises(rl.Refusal, match="altered; give the ticket again as start="):
        recall(tmp_path, 1, 2)
    path.unlink()
    with pytest.raises(rl.Refusal, match="missing; give the ticket again as start="):
        recall(tmp_path, 1, 2)


def test_a_run_of_given_tickets_needs_the_folder_of_their_parents_no_more(tiny, tmp_path):
    parent = rl.fit(tiny.but(levels=1, seeds=0), tmp_path / "parents")
    child = rl.fit(parent.spec, tmp_path, start=[rl.controls.rewound(ticket, 0) for ticket in parent])
    whole = child[0, 1].record["sha256"]
    shutil.rmtree(tmp_path / "parents")
    for path in child.path.glob("seed-0/level-01.*"):
        path.unlink()
    again = rl.fit(child.spec, tmp_path, start=None)
    assert again.path == child.path
    assert again[0, 1].record["sha256"] == whole
