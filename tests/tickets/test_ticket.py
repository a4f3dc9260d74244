"""A ticket is one seed at one level, and reads its tensors when they are asked for."""

import dataclasses

import pytest
import torch

from rmtlottery.refusal import Refusal


def test_it_is_frozen(tiny_run):
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        tiny_run[0, 0].level = 3


def test_nothing_is_read_before_it_is_asked_for(tiny_run):
    ticket = tiny_run[0, 2]
    read = []
    watched = dataclasses.replace(ticket, read={name: lambda name=name: read.append(name) for name in ticket.read})
    assert watched.density == ticket.density
    assert read == []
    watched.weights, watched.weights  # noqa: B018
    assert read == ["weights"]


def test_density_is_kept_over_all_without_biases(tiny_run):
    ticket = tiny_run[1, 3]
    kept = sum(int(mask.sum()) for mask in ticket.mask.values())
    assert ticket.density == kept / (64 * 12 + 12 * 8 + 8 * 10)


def test_level_0_starts_from_init_and_is_dense(tiny_run):
    ticket = tiny_run[0, 0]
    assert all(torch.equal(ticket.init[name], ticket.start[name]) for name in ticket.init)
    assert all(mask.all() for mask in ticket.mask.values())


def test_rewound_is_the_start_under_the_mask(tiny_run):
    ticket = tiny_run[0, 3]
    for name, value in ticket.rewound.items():
        expected = torch.where(ticket.mask[name], ticket.init[name], 0.0) if name in ticket.mask else ticket.init[name]
        assert torch.equal(value, expected)


def test_the_dense_ticket_is_rewound_to_the_same_step_as_the_others(tiny, tmp_path):
    """Else a curve over levels would begin with another object: theta_0 among theta_k."""
    import rmtlottery as rl

    dense, pruned = rl.fit(tiny.but(rewind=5, levels=1, seeds=0), tmp_path)
    for name, value in dense.rewound.items():
        assert torch.equal(value, pruned.start[name])
        assert not torch.equal(value, dense.start[name])


def test_it_says_where_it_is_from(tiny_run):
    assert repr(tiny_run[1, 3]) == f"Ticket({str(tiny_run.path)!r}, seed 1, level 3, density {tiny_run[1, 3].density:.1%})"


def test_snapshots_are_kept_at_the_steps_asked_for(tiny, tmp_path):
    import rmtlottery as rl

    run = rl.fit(tiny.but(snapshots="1,26", seeds=3, levels=1), tmp_path)
    assert list(run[3, 0].snapshots) == [0, 1, 26]
    assert list(run[3, 1].snapshots) == [1, 26]
    last = run[3, 1].snapshots[26]
    assert all(torch.equal(last[name], value) for name, value in run[3, 1].weights.items())


def test_the_chart_is_recorded(tiny_run):
    assert tiny_run[0, 0].chart == {"kind": "full", "seed": None, "fingerprint": None}


def test_some_layers_of_it(tiny_run):
    ticket = tiny_run[0, 2]
    first, *_ = ticket.mask
    some = ticket.only(first)
    assert list(some.mask) == list(some.weights) == [first]
    assert torch.equal(some.weights[first], ticket.weights[first])
    assert torch.equal(some.mask[first], ticket.mask[first])
    assert (some.spec, some.seed, some.level, some.density) == (ticket.spec, 0, 2, ticket.density)
    with pytest.raises(
        Refusal, match="has no start here: a ticket that is narrowed to some layers has weights and a mask alone"
    ):
        some.start  # noqa: B018
