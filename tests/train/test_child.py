"""Children of a run: named by what sets them apart, trained once, and again where what they come from is another."""

import shutil

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.flat import flatten
from rmtlottery.charts.projections import projection
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.train.child import child, name
from rmtlottery.train.controls import CONTROLS


@pytest.fixture
def parent(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "parent")
    return rl.Run(tmp_path / "parent")


def never(*what):
    pytest.fail("made again")


def test_it_is_trained_from_what_the_control_makes_of_these_levels(parent, tmp_path):
    run = child(parent, tmp_path, {"control": "shuffle_mask", "control_seed": 3, "at": (1, 3), "lr": 2e-3, "epochs": 1})
    assert run.path.name == "parent-lr=0.002-epochs=1-on-shuffle_mask-3-at-1-3"
    assert (run.levels, run.seeds) == ([1, 3], parent.seeds)
    assert (run.spec.optimiser.lr, run.spec.schedule.epochs) == (2e-3, 1)
    for ticket in run:
        wanted = CONTROLS["shuffle_mask"](parent[ticket.seed, ticket.level], 3)
        assert fingerprint(ticket.mask) == fingerprint(wanted.mask)
        assert fingerprint(ticket.start) == fingerprint(wanted.start)


def test_a_level_that_is_not_there_is_refused(parent, tmp_path):
    with pytest.raises(rl.Refusal, match=r"parent has levels 0,1,2,3, and no level 7"):
        child(parent, tmp_path, {"control": "rescale", "at": (2, 7, 10)})


def test_all_levels_are_taken_where_none_is_named(parent, tmp_path):
    run = child(parent, tmp_path, {"control": "rescale"})
    assert run.levels == parent.levels
    assert run.path.name == "parent-on-rescale-0"


@pytest.mark.parametrize("control", ["rescale", "small_dense"])
def test_what_is_there_is_neither_made_nor_trained_again(parent, tmp_path, monkeypatch, control):
    """Of a control that changes the net, too."""
    first = child(parent, tmp_path, {"control": control, "at": (2,)})
    monkeypatch.setattr("rmtlottery.train.child.controlled", never)
    again = child(parent, tmp_path, {"control": control, "at": (2,)})
    assert [fingerprint(ticket.weights) for ticket in again] == [fingerprint(ticket.weights) for ticket in first]


def test_a_name_fits_into_a_folders_and_tells_its_levels_apart(parent):
    own = {"control": "shuffle_mask,rescale", "control_seed": 3, "at": list(range(1, 50))}
    names = [name(parent, own | {"at": at}, {}) for at in (own["at"], own["at"][:-1])]
    assert [len(word) for word in names] == [120, 120]
    assert names[0] != names[1]


def test_what_is_missing_is_made(parent, tmp_path):
    run = child(parent, tmp_path, {"control": "rescale", "at": (2,)})
    for path in (run.path / "seed-1").glob("level-02.*"):
        path.unlink()
    assert len(child(parent, tmp_path, {"control": "rescale", "at": (2,)})) == 2


def test_a_parent_that_is_another_by_now_is_not_taken_for_the_one_before(parent, tiny, tmp_path):
    child(parent, tmp_path, {"control": "rescale", "at": (2,)})
    other = rl.fit(tiny.but(lr=5e-3, name="other"), tmp_path)
    shutil.rmtree(parent.path)
    other.path.rename(parent.path)
    with pytest.raises(rl.Refusal, match="another"):
        child(rl.Run(parent.path), tmp_path, {"control": "rescale", "at": (2,)})


def test_a_parent_that_was_trained_otherwise_by_the_same_spec_is_another_too(parent, tiny, tmp_path):
    child(parent, tmp_path, {"control": "trained", "at": (2,)})
    other = rl.fit(tiny.but(name="other"), tmp_path, precision="bf16")
    shutil.rmtree(parent.path)
    other.path.rename(parent.path)
    with pytest.raises(rl.Refusal, match="has another start for seed 0, level 2"):
        child(rl.Run(parent.path), tmp_path, {"control": "trained", "at": (2,)})


def test_a_parent_of_another_spec_is_another_though_its_tickets_are_the_same(parent, tiny, tmp_path):
    changed = {"control": "rescale", "at": (1,), "snapshots": (2,)}
    child(parent, tmp_path, changed)
    other = rl.fit(tiny.but(name="other", snapshots=(3,)), tmp_path)
    assert other.fingerprint(1, 1) == parent.fingerprint(1, 1)
    shutil.rmtree(parent.path)
    other.path.rename(parent.path)
    with pytest.raises(rl.Refusal, match="holds another spec"):
        child(rl.Run(parent.path), tmp_path, changed)


def test_a_run_of_that_name_that_was_trained_otherwise_is_not_taken_for_it(parent, tmp_path):
    tickets = [CONTROLS["rescale"](parent[seed, 2], 0) for seed in parent.seeds]
    rl.fit(parent.spec.but(lr=7e-3, name="parent-on-rescale-0-at-2"), tmp_path, start=tickets)
    with pytest.raises(rl.Refusal, match="holds another spec"):
        child(parent, tmp_path, {"control": "rescale", "at": (2,)})


def test_tickets_are_rewound_where_no_control_is_named_and_records_and_units_are_free(parent, tmp_path):
    run = child(parent, tmp_path, {"at": (2,), "record": {"snapshots": (4,)}, "lr": 4e-3}, precision="bf16")
    assert {unit["precision"] for unit in run.units()} == {"bf16"}
    assert run.spec.origin.control == "rewound"
    assert list(run[1, 2].snapshots) == [0, 4]
    assert fingerprint(run[1, 2].start) == fingerprint(parent[1, 2].start)


def test_a_changed_field_is_another_run(parent, tmp_path):
    names = {child(parent, tmp_path, {"control": "rescale", "at": (2,), "lr": lr}).path.name for lr in (1e-3, 2e-3)}
    assert names == {"parent-lr=0.001-on-rescale-0-at-2", "parent-lr=0.002-on-rescale-0-at-2"}


@pytest.mark.parametrize("field", ["phi", "seeds", "name", "net", "sigma_w", "levels", "init"])
def test_what_the_tickets_decide_cannot_be_told(parent, tmp_path, field):
    with pytest.raises(rl.Refusal, match=f"{field} is decided by the tickets that a child of parent starts from"):
        child(parent, tmp_path, {"control": "rescale", field: 1})


def test_trained_weights_are_tuned_along_few_directions_on_other_data(parent, tmp_path):
    """The use of SAID: a subspace around a given checkpoint."""
    changed = {"control": "trained", "at": (2,), "chart": "affine", "dim": 5, "shuffled": "labels", "lr": 1e-2}
    run = child(parent, tmp_path, changed)
    assert run.path.name == "parent-chart=affine-dim=5-shuffled=labels-lr=0.01-on-trained-0-at-2"
    for ticket in run:
        given = parent[ticket.seed, 2]
        assert all(torch.equal(ticket.start[name], given.weights[name]) for name in given.weights)
        shapes = {name: tuple(ticket.weights[name].shape) for name in ticket.record["parameters"]}
        wide = sum(value.numel() for value in ticket.weights.values())
        moved = flatten(ticket.weights, shapes) - flatten(given.weights, shapes)
        kept = flatten({name: given.mask.get(name, torch.ones(shape)) for name, shape in shapes.items()}, shapes)
        along = projection("fastfood", wide, 5, ticket.seed).apply(ticket.coordinates) * kept
        torch.testing.assert_close(moved, along, rtol=1e-3, atol=1e-5)
        assert moved.any()


def test_data_that_the_net_does_not_fit_are_refused(parent, tmp_path):
    with pytest.raises(rl.Refusal, match="does not fit the net of the Spec"):
        child(parent, tmp_path, {"control": "trained", "at": (2,), "data": "teacher", "inputs": 9})


def test_a_child_that_is_damaged_is_trained_again(parent, tmp_path):
    run = child(parent, tmp_path, {"control": "rescale", "at": (2,)})
    path = run.path / "seed-1" / "level-02.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert child(parent, tmp_path, {"control": "rescale", "at": (2,)}).faults() == []
    assert path.read_bytes() == whole


def test_a_child_that_diverged_is_made_once_and_one_of_nothing_is_refused(tiny, tmp_path, monkeypatch):
    parent = rl.fit(tiny.but(seeds=0, levels=1, phi="relu"), tmp_path)
    changed = {"control": "rescale", "optimiser": {"kind": "sgd", "lr": 1e25}}
    run = child(parent, tmp_path, changed)
    assert len(run) == 0
    monkeypatch.setattr("rmtlottery.train.child.controlled", never)
    child(parent, tmp_path, changed)
    with pytest.raises(rl.Refusal, match=r"has no finished ticket at levels"):
        child(run, tmp_path, {"control": "rescale"})
