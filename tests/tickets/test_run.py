"""A run is a folder that says what it holds, and what is wrong with it."""

import json
import shutil

import pytest
import torch

import rmtlottery as rl


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy that may be damaged."""
    shutil.copytree(tiny_run.path, tmp_path / "first")
    return rl.Run(tmp_path / "first")


def ticket_path(run, seed, level, suffix):
    return run.path / f"seed-{seed}" / f"level-{level:02d}.{suffix}"


def test_iteration_is_in_order_and_complete(tiny_run):
    assert [(ticket.seed, ticket.level) for ticket in tiny_run] == [(s, n) for s in (0, 1) for n in range(4)]
    assert (len(tiny_run), tiny_run.seeds, tiny_run.levels) == (8, [0, 1], [0, 1, 2, 3])


def test_at_finds_the_nearest_level_of_every_seed(tiny_run):
    assert [(t.seed, t.level) for t in tiny_run.at(density=0.99)] == [(0, 0), (1, 0)]
    wanted = tiny_run[0, 2].density
    assert {t.level for t in tiny_run.at(density=wanted + 0.01)} == {2}


def test_metrics_and_connectivity_are_the_csv_files(tiny_run):
    import pandas as pd

    for name in ("metrics", "connectivity"):
        stored = pd.read_csv(tiny_run.path / f"{name}.csv")
        pd.testing.assert_frame_equal(stored, getattr(tiny_run, name), check_dtype=False)
    assert len(tiny_run.metrics) == 2 * 4 * 2
    assert len(tiny_run.connectivity) == 2 * 4 * 3


def test_seeds_may_be_added_but_no_other_field_changed(tiny_run, run):
    more = rl.Run.open(run.path.parent, run.spec.but(name="first", seeds=(5,)))
    assert more.spec.seeds == (0, 1, 5)
    with pytest.raises(rl.Refusal, match=r"optimiser\.lr is 0\.001 there and 0\.5 here.*take --name first-2"):
        rl.Run.open(run.path.parent, run.spec.but(name="first", lr=0.5))


def test_a_folder_without_a_spec_is_refused_and_its_neighbours_named(run):
    with pytest.raises(rl.Refusal, match=r"is no run, .*: it holds no spec\.json; runs around it: first"):
        rl.Run(run.path.parent / "frist")


def test_an_unknown_place_is_refused(run):
    with pytest.raises(rl.Refusal, match=r"no ticket of seed 3, level 0; it has seeds \[0, 1\], levels \[0, 1, 2, 3\]"):
        run[3, 0]


def test_another_format_version_is_refused(run):
    spec = json.loads((run.path / "spec.json").read_text())
    (run.path / "spec.json").write_text(json.dumps(spec | {"version": 2}))
    with pytest.raises(rl.Refusal, match=r"spec\.json: the spec is of format version 2, this rmtlottery reads version 1"):
        rl.Run(run.path)


def test_an_altered_tensor_is_seen_when_it_is_read(run):
    path = ticket_path(run, 1, 2, "safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(rl.Refusal, match=r"level-02\.safetensors is altered: its .* do not give the SHA-256"):
        run.check(1, 2)
    assert len(run.faults()) == 1


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_a_truncated_file_is_one_fault_and_the_others_stand(run, suffix):
    path = ticket_path(run, 0, 1, suffix)
    path.write_bytes(path.read_bytes()[:50])
    assert [fault for fault in run.faults() if str(path) in fault and "damaged" in fault]
    assert run[1, 3].weights


def test_a_parent_that_was_exchanged_is_seen(run):
    for suffix in ("safetensors", "json"):
        shutil.copy(ticket_path(run, 1, 1, suffix), ticket_path(run, 0, 1, suffix))
    with pytest.raises(rl.Refusal, match="descends from another level 1"):
        run.check(0, 2)


def test_a_missing_tensor_file_is_named(run):
    ticket_path(run, 0, 3, "safetensors").unlink()
    with pytest.raises(rl.Refusal, match=r"level-03\.safetensors is missing"):
        run[0, 3].weights  # noqa: B018


def test_masks_and_weights_agree_on_disk(tiny_run):
    for ticket in tiny_run:
        for name, mask in ticket.mask.items():
            assert torch.all(ticket.weights[name][~mask] == 0)
            assert mask.dtype == torch.bool
