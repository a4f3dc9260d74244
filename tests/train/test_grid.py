"""Subspaces of several sizes trained together end as each would alone."""

import json
from types import SimpleNamespace

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.flat import flatten
from rmtlottery.charts.projections import projection
from rmtlottery.charts.projections.dense import Dense
from rmtlottery.tickets.progress import Progress
from rmtlottery.train import grid as room
from rmtlottery.train.grid import grid, portions, sized
from rmtlottery.work.unit import Unit

SPEC = rl.preset("first").but(chart="affine", levels=0, widths="9", epochs=2, lr=1e-2, seeds=(0, 2))
DIMS = (7, 20, 45)


@pytest.mark.parametrize("chart", [{}, {"projection": "countsketch"}, {"kind": "said"}])
def test_a_grid_is_its_runs_one_by_one(chart, tmp_path):
    spec = SPEC.but(chart=chart)
    runs = grid(spec, DIMS, tmp_path / "grid", threads=1)
    for run, dim in zip(runs, DIMS, strict=True):
        alone = rl.fit(spec.but(dim=dim), tmp_path / "alone", threads=1)
        assert run.spec.chart == alone.spec.chart
        for one, other in zip(run, alone, strict=True):
            torch.testing.assert_close(one.coordinates, other.coordinates, rtol=1e-2, atol=2e-4)
            assert one.coordinates.shape == (dim,)
            assert one.chart == other.chart
            assert one.metrics[-1]["test_accuracy"] == pytest.approx(other.metrics[-1]["test_accuracy"], abs=0.006)
        assert run.faults() == []


def test_it_names_runs_by_their_size_and_says_what_was_trained_beside(tmp_path):
    runs = grid(SPEC, [20, 7, 7], tmp_path, threads=1)
    assert [run.path.name.rpartition("-")[2] for run in runs] == ["dim=7", "dim=20"]
    assert runs[0][2, 0].record["beside"] == ["7/0", "20/0", "7/2", "20/2"]


def test_what_is_there_is_not_trained_again(tmp_path, monkeypatch):
    first = grid(SPEC.but(seeds=(0,)), [7, 20], tmp_path, threads=1)
    before = {run.path: run.fingerprint(0, 0) for run in first}
    trained, go = [], room.Party.go
    monkeypatch.setattr(room.Party, "go", lambda party: (trained.extend(party.places), go(party)))
    again = grid(SPEC, [7, 20, 45], tmp_path, threads=1)
    assert trained == [(45, 0), (7, 2), (20, 2), (45, 2)]
    assert all(run.fingerprint(0, 0) == before[run.path] for run in again if run.path in before)


def test_a_grid_that_is_stopped_goes_on_from_its_checkpoint_to_the_bit(tmp_path, monkeypatch):
    from rmtlottery.train import saving

    class Stop(Exception):
        pass

    whole = grid(SPEC, DIMS, tmp_path / "whole", threads=1)
    monkeypatch.setattr(saving, "SAVE_EVERY", -1.0)
    seen, step = [], room.Bar.step

    def watch(bar, level, state):
        seen.append(state.step)
        if len(seen) == 12:
            raise Stop
        step(bar, level, state)

    monkeypatch.setattr(room.Bar, "step", watch)
    with pytest.raises(Stop):
        grid(SPEC, DIMS, tmp_path / "parts", threads=1)
    resumed = grid(SPEC, DIMS, tmp_path / "parts", threads=1)
    assert min(seen[12:]) > 1, "it did not begin anew"
    assert [r.fingerprint(s, 0) for r in resumed for s in (0, 2)] == [r.fingerprint(s, 0) for r in whole for s in (0, 2)]
    assert not list(tmp_path.glob("parts/*/progress/*.safetensors"))


def test_a_seed_that_diverges_is_recorded_and_the_others_go_on(tmp_path):
    wild = SPEC.but(optimiser={"kind": "sgd", "lr": 1e30, "decay": 1e10}, seeds=(0,))
    run = grid(wild, [7], tmp_path, threads=1)[0]
    assert run.status(0, 0) == "diverged"


def test_decay_of_the_weights_is_pulled_back_to_the_coordinates(tmp_path):
    """With a rate that moves nothing else a step of decay is P^T theta_0."""
    rule = {"kind": "sgd", "momentum": 0, "lr": 1e-3, "decay": 1e3}
    run = grid(SPEC.but(optimiser=rule, epochs=1, batch=2000, seeds=(0,)), [20], tmp_path, threads=1)[0]
    ticket = run[0, 0]
    shapes = {name: tuple(ticket.start[name].shape) for name in ticket.record["parameters"]}
    theta = flatten(ticket.start, shapes)
    expected = -projection("fastfood", len(theta), 20, 0).adjoint(theta)
    torch.testing.assert_close(ticket.coordinates, expected, rtol=0.05, atol=0.02)


def test_the_sidecar_says_which_directions(tmp_path):
    run = grid(SPEC.but(seeds=(0,)), [7], tmp_path, threads=1)[0]
    held = json.loads((run.path / "seed-0" / "level-00.json").read_text())
    assert held["chart"]["kind"] == "affine"
    assert held["chart"]["seed"] == 0
    assert len(held["chart"]["fingerprint"]) == 16


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"chart": "full"}, "chart = full has no size to choose"), ({"levels": 2}, "with levels 0")],
)
def test_a_spec_without_sizes_is_refused(changes, words):
    with pytest.raises(rl.Refusal, match=words):
        sized(SPEC.but(**changes), 7)


def test_directions_that_come_from_tickets_are_for_children(tmp_path):
    """The chart has a size; what a grid lacks is the tickets."""
    with pytest.raises(rl.Refusal, match=r"from tickets, .*: train a child .* \(--control rewound, or start=\)"):
        grid(SPEC.but(chart="principal", dim=3), [2, 3], tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_size_is_refused(tmp_path):
    with pytest.raises(rl.Refusal, match="no size is named"):
        grid(SPEC, [], tmp_path)


def test_too_large_a_size_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(rl.Refusal, match="dim = 99999 is more than the net's"):
        grid(SPEC, [7, 99999], tmp_path)
    assert not list(tmp_path.iterdir())


def engines(places, device="cpu", precision=lambda place: "fp32"):
    return {place: SimpleNamespace(unit=Unit((place[1],), device, precision=precision(place))) for place in places}


def test_large_nets_are_trained_one_by_one_on_a_cpu_and_small_ones_many_at_a_time():
    places = [(d, 0) for d in range(300)]
    assert [len(part) for part in portions(places, engines(places), 200_000)][:2] == [1, 1]
    assert [len(part) for part in portions(places, engines(places), 2_000)] == [128, 128, 44]
    assert [len(part) for part in portions(places, engines(places, "cuda:0"), 200_000)] == [128, 128, 44]
    assert [place for part in portions(places, engines(places), 200_000) for place in part] == places


def test_only_what_is_trained_alike_is_trained_together():
    places = [(d, 0) for d in range(6)]
    found = list(portions(places, engines(places, precision=lambda place: ("fp32", "bf16")[place[0] % 2]), 2_000))
    assert sorted(found) == [[(0, 0), (2, 0), (4, 0)], [(1, 0), (3, 0), (5, 0)]]


def test_seeds_added_later_are_of_their_own_unit(tmp_path):
    grid(SPEC.but(seeds=(0,)), [7], tmp_path, threads=1, precision="bf16")
    run = grid(SPEC, [7], tmp_path, threads=1)[0]
    assert [ticket.record["unit"]["seeds"] for ticket in run] == [[0], [2]]
    assert [ticket.record["unit"]["precision"] for ticket in run] == ["bf16", "fp32"]


def test_a_run_is_the_same_whoever_began_it(tmp_path):
    alone = rl.fit(SPEC.but(dim=7, projection="dense"), tmp_path, threads=1)
    again = grid(SPEC.but(projection="dense"), [7], tmp_path, threads=1)[0]
    assert again.path == alone.path
    assert "beside" not in again[0, 0].record


def test_what_another_process_trains_is_not_trained_beside_it(tmp_path):
    run = grid(SPEC.but(seeds=(0,)), [7], tmp_path, threads=1)[0]
    (run.path / "seed-0" / "level-00.json").unlink()
    with Progress(run.path, "seeds-0").locked(), pytest.raises(rl.Refusal, match="is being trained by another process"):
        grid(SPEC.but(seeds=(0,)), [7, 20], tmp_path, threads=1)


def test_checkpoints_that_nobody_can_take_up_are_cleared(tmp_path):
    run = grid(SPEC.but(seeds=(0,)), [7], tmp_path, threads=1)[0]
    stale = Progress(run.path, "party-00000000").path(0)
    stale.parent.mkdir(exist_ok=True)
    stale.write_bytes(b"")
    grid(SPEC, [7], tmp_path, threads=1)
    assert not stale.exists()


def test_no_small_p_is_kept_beside_the_widest(tmp_path, monkeypatch):
    drawn, draw = [], Dense.draw
    monkeypatch.setattr(Dense, "draw", lambda self: (drawn.append(self.dim), draw(self))[1])
    grid(SPEC.but(projection="dense"), DIMS, tmp_path, threads=1)
    assert drawn == [45, 45], "one a seed"


def test_an_option_that_is_none_is_answered(tmp_path):
    with pytest.raises(rl.Refusal, match="unknown option of grid 'thread'"):
        grid(SPEC, [7], tmp_path, thread=1)
    with pytest.raises(rl.Refusal, match="no size is named by dims = 7"):
        grid(SPEC, 7, tmp_path)
