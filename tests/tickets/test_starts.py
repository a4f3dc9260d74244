"""Tickets that were given to start from: copied whole, told apart, and refused where they make no run."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
import torch

import rmtlottery as rl
from rmtlottery.tickets.layout import start_file
from rmtlottery.tickets.starts import descent, keep, mark, recall, taken


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


def test_the_line_of_a_trained_control_goes_on(tiny, tmp_path, control):
    child = rl.fit(tiny, tmp_path, start=control)[1, 2]
    assert child.record["control"] == "shuffle_mask"
    assert (taken([child]).control, taken([control]).control) == ("shuffle_mask", "shuffle_mask")
    held = descent(rl.controls.flip_signs(child, 1))
    controls = {"control": "shuffle_mask,flip_signs", "control_seeds": [5, 1]}
    assert held == {"parent": child.record["sha256"]["weights"]} | controls


def test_a_part_tells_other_tickets_apart(tiny, tiny_run, tmp_path):
    first, again, other = (taken([rl.controls.shuffle_mask(tiny_run[0, 3], seed)]) for seed in (1, 1, 2))
    stranger = rl.fit(tiny.but(lr=0.1, levels=1), tmp_path)[0, 1]
    assert taken([stranger]).parent != taken([tiny_run[0, 1]]).parent
    assert first == again != other
    assert (first.at, first.control, first.control_seeds) == ((3,), "shuffle_mask", (1,))


def test_two_tickets_for_one_place_are_refused(tiny_run):
    with pytest.raises(rl.Refusal, match="two tickets are given for seed 0, level 1: take one"):
        taken([tiny_run[0, 1], tiny_run[1, 2], rl.controls.rewound(tiny_run[0, 1], 0)])


def test_tickets_need_not_be_a_grid(tiny, tiny_run, tmp_path):
    """As where a seed diverged on the way."""
    places = [(0, 1), (0, 3), (1, 1)]
    child = rl.fit(tiny, tmp_path, start=[tiny_run[place] for place in places])
    assert [(ticket.seed, ticket.level) for ticket in child] == places
    assert child.faults() == []


def test_seeds_may_be_added_to_a_control(tiny, tmp_path):
    spec = tiny.but(epochs=1, levels=1)
    for seeds in ((0,), (0, 1)):
        parent = rl.fit(spec.but(seeds=seeds), tmp_path)
        child = rl.fit(parent.spec, tmp_path, start=[rl.controls.shuffle_mask(ticket, 0) for ticket in parent])
    assert [(ticket.seed, ticket.level) for ticket in child] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_another_start_for_a_place_is_refused(tiny, tiny_run, tmp_path):
    rl.fit(tiny.but(name="mine"), tmp_path, start=rl.controls.shuffle_mask(tiny_run[0, 2], 0))
    damaged = rl.controls.shuffle_mask(tiny_run[0, 2], 0)
    damaged.start["fc1.weight"][0, 0] += 1
    with pytest.raises(rl.Refusal, match="another start for seed 0, level 2 than the one that is given now"):
        rl.fit(tiny.but(name="mine"), tmp_path, start=damaged)


def test_tickets_of_different_controls_or_shapes_are_refused(tiny_run):
    pair = [rl.controls.shuffle_mask(tiny_run[0, 1], 0), rl.controls.shuffle_mask(tiny_run[1, 1], 4)]
    with pytest.raises(
        rl.Refusal, match=r"different controls \(shuffle_mask with seeds \(0,\), shuffle_mask with seeds \(4,\)\)"
    ):
        taken(pair)
    narrow = [rl.controls.small_dense(tiny_run[0, level], 0) for level in (0, 3)]
    with pytest.raises(rl.Refusal, match="weights of different shapes; train each level by itself"):
        taken(narrow)


def test_an_altered_or_missing_copy_is_refused(tmp_path, control):
    keep(tmp_path, control)
    path = start_file(tmp_path, 1, 2)
    held = bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)
    with pytest.raises(rl.Refusal, match="altered; give the ticket again as start="):
        recall(tmp_path, 1, 2)
    keep(tmp_path, control)
    assert recall(tmp_path, 1, 2)[2] == descent(control), "given again, it is whole again"
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


def test_the_mark_of_a_spec_is_what_it_was_before_some_of_its_fields(tiny_run):
    ticket = tiny_run[0, 0]
    held = {group: part for group, part in ticket.spec.identity().items() if group != "net"}
    del held["optimiser"]["loss"], held["data"]["shuffling"]
    assert mark(ticket) == hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]
    for change in ({"loss": "squared"}, {"shuffling": 1}):
        assert mark(replace(ticket, spec=ticket.spec.but(**change))) != mark(ticket)
