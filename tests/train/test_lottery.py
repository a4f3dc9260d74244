"""Burn-in and lottery subspaces: children that start on the way, along what training went."""

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.flat import flatten
from rmtlottery.charts.principal import principal_directions
from rmtlottery.tickets import starts
from rmtlottery.train.child import child
from tests.commands import command
from tests.conftest import TINY

WHOLE = TINY.but(levels=0, epochs=6, lr=1e-2, record={"snapshots": (4, 12, 30, 60)}, name="whole")
PRINCIPAL = {"chart": "principal", "dim": 3, "lr": 3e-2, "snapshots": ()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return rl.fit(WHOLE, tmp_path_factory.mktemp("lottery"), threads=1)


@pytest.fixture(scope="module")
def lottery(whole):
    return child(whole, whole.path.parent, PRINCIPAL, threads=1)


def points(ticket):
    shapes = {name: value.shape for name, value in ticket.start.items()}
    return torch.stack([flatten(held, shapes) for held in [*ticket.snapshots.values(), ticket.weights]])


def test_it_moves_within_the_principal_directions_of_its_own_seed(whole, lottery):
    for seed in (0, 1):
        ticket, found = lottery[seed, 0], principal_directions(points(whole[seed, 0]))[:3]
        shapes = {name: value.shape for name, value in ticket.start.items()}
        moved = flatten(ticket.weights, shapes) - flatten(ticket.start, shapes)
        assert moved.norm() > 0.1
        assert (moved - moved @ found.T @ found).norm() < 1e-5 * moved.norm()
        other = principal_directions(points(whole[1 - seed, 0]))[:3]
        assert (moved - moved @ other.T @ other).norm() > 0.1 * moved.norm()


def test_few_of_them_do_what_many_random_ones_do_not(whole, lottery):
    randomly = child(whole, whole.path.parent, PRINCIPAL | {"chart": "affine"}, threads=1)
    last = [run.metrics.query("epoch == 6")["train_loss"] for run in (lottery, randomly)]
    assert last[0].max() < 0.6 * last[1].min()


def test_of_a_pruned_ticket_they_begin_at_its_start_and_lie_within_its_mask(tmp_path):
    run = rl.fit(WHOLE.but(levels=1, epochs=2, snapshots=(4, 12), name="pruned"), tmp_path, threads=1)
    ticket = run[0, 1]
    for first, last in ((ticket, run[0, 1]), (child(run, tmp_path, {"at": (1,)}, threads=1)[0, 1],) * 2):
        way = first.trajectory
        assert len(way) == 4
        for name, mask in last.mask.items():
            assert torch.equal(way[0][name], first.rewound[name])
            assert torch.equal(way[-1][name], first.weights[name])
            assert all(not held[name][~mask].any() for held in way)


def test_after_some_steps_it_starts_there(whole):
    found = child(whole, whole.path.parent, PRINCIPAL | {"control": "after:12"}, threads=1)
    for seed in (0, 1):
        for name, value in whole[seed, 0].snapshots[12].items():
            assert torch.equal(found[seed, 0].start[name], value)
        assert found[seed, 0].record["control"] == "after:12"


def test_directions_that_were_found_are_not_found_anew(whole, tmp_path, monkeypatch):
    run = child(whole, tmp_path, PRINCIPAL, threads=1)
    (run.path / "seed-0" / "level-00.json").unlink()
    kept = starts.directions(run.path, 0, 0)
    monkeypatch.setattr("rmtlottery.train.directions.principal_directions", lambda points: -kept)
    again = child(whole, tmp_path, PRINCIPAL, threads=1)
    assert torch.equal(starts.directions(run.path, 0, 0), kept)
    assert len(again) == 2


def test_trained_again_it_is_the_same(whole, lottery, tmp_path):
    again = child(whole, tmp_path, PRINCIPAL, threads=1)
    assert torch.equal(again[0, 0].coordinates, lottery[0, 0].coordinates)


def test_an_altered_direction_is_refused(whole, tmp_path):
    run = child(whole, tmp_path, PRINCIPAL, threads=1)
    path = starts.start_file(run.path, 0, 0)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(rl.Refusal, match="is altered; give the ticket again as start="):
        starts.directions(run.path, 0, 0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"dim": 9}, "dim = 9 is not between 1 and the 5 directions that the trajectory has"),
        ({"control": "after:5"}, "has no snapshot after 5 steps, but after 0, 4, 12, 30, 60"),
        ({"control": "afte:5"}, "did you mean 'after:STEP'"),
    ],
)
def test_what_there_is_not_is_refused(whole, tmp_path, changed, words):
    with pytest.raises(rl.Refusal, match=words):
        child(whole, tmp_path, PRINCIPAL | changed, threads=1)


@pytest.mark.parametrize(
    ("snapshots", "dim", "words"),
    [
        (
            (4, 12, 30),
            9,
            r"not between 1 and the 4 directions that the trajectory has of Ticket\(.*: take no more, or a ticket",
        ),
        ((), 3, r"not 1, the number of directions that the trajectory has of Ticket\(.* of a run that has more --snapshots"),
    ],
)
def test_more_directions_than_there_are_leave_nothing_behind(tmp_path, snapshots, dim, words):
    run = rl.fit(WHOLE.but(epochs=3, snapshots=snapshots), tmp_path / "parents", threads=1)
    with pytest.raises(rl.Refusal, match=f"dim = {dim} is {words}"):
        child(run, tmp_path / "children", PRINCIPAL | {"dim": dim}, threads=1)
    assert not (tmp_path / "children").exists()


def test_the_training_of_another_net_has_no_directions_of_this_one(tmp_path):
    run = rl.fit(WHOLE.but(levels=1, epochs=1, snapshots=4), tmp_path / "parents", threads=1)
    with pytest.raises(rl.Refusal, match=r"the training that Ticket\(.* comes from was of another net"):
        child(run, tmp_path / "children", PRINCIPAL | {"dim": 1, "control": "small_dense", "at": (1,)}, threads=1)
    assert not (tmp_path / "children").exists()


def test_no_more_of_them_are_kept_than_are_trained_along(whole, lottery):
    assert len(starts.directions(lottery.path, 0, 0)) == 3
    assert len(principal_directions(points(whole[0, 0]))) == 5


def test_a_dry_run_of_a_child_tries_it_and_leaves_nothing(whole, tmp_path):
    words = ("--control", "after:12", "--chart", "principal", "--dim", 3, "--snapshots", "", "--epochs", 1)
    code, out, err = command("train", whole.path, *words, "--dry-run", "--root", tmp_path / "runs")
    assert (code, err) == (0, "")
    assert "plan: 2 seeds x 1 levels x 1 epochs" in out
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_of_one_that_was_begun_takes_no_tickets(lottery):
    code, out, err = command("train", lottery.path, "--dry-run")
    assert (code, err) == (0, "")
    assert "plan: 2 seeds x 1 levels x 6 epochs" in out


def test_without_tickets_there_are_no_directions(tmp_path):
    with pytest.raises(rl.Refusal, match="takes its directions from tickets"):
        rl.fit(WHOLE.but(chart="principal", dim=2, name="alone"), tmp_path, threads=1)
