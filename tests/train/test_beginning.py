"""Where a level begins: whatever the criterion, its mask is the parent's less exactly what the Spec says."""

from typing import get_args

import pytest
import torch

import rmtlottery as rl
from rmtlottery.prune.cut import counts
from rmtlottery.tickets.parts import Trained, Untrained


def kept(ticket):
    return {name: int(mask.sum()) for name, mask in ticket.mask.items()}


@pytest.fixture
def quick(tiny):
    return tiny.but(epochs=1, levels=2, seeds=0)


@pytest.mark.parametrize("criterion", get_args(Trained))
def test_every_criterion_of_trained_weights_cuts_exactly_and_downwards(quick, tmp_path, criterion):
    run = rl.fit(quick.but(criterion=criterion), tmp_path)
    check_counts(run)


@pytest.mark.parametrize("rounds", [1, 5])
@pytest.mark.parametrize("criterion", get_args(Untrained))
def test_every_criterion_before_training_cuts_exactly_and_downwards(quick, tmp_path, criterion, rounds):
    run = rl.fit(quick.but(prune={"kind": "at_init", "criterion": criterion, "rounds": rounds, "scored": 200}), tmp_path)
    check_counts(run)


def check_counts(run):
    for name, mask in run[0, 0].mask.items():
        rate = 0.1 if name == "fc3.weight" else 0.2
        assert [kept(run[0, level])[name] for level in range(3)] == counts(mask.numel(), rate, 2)
    for level in (1, 2):
        for name, mask in run[0, level].mask.items():
            assert not (mask & ~run[0, level - 1].mask[name]).any(), "what is cut stays cut"


def test_before_training_the_mask_is_a_function_of_theta_alone(quick, tmp_path):
    prune = {"kind": "at_init", "criterion": "magnitude"}
    runs = [rl.fit(quick.but(prune=prune, epochs=epochs, name=str(epochs)), tmp_path) for epochs in (1, 3)]
    for level in (1, 2):
        for name, mask in runs[0][0, level].mask.items():
            assert torch.equal(mask, runs[1][0, level].mask[name])
            start = runs[0][0, 0].start[name].abs()
            assert start[mask].min() >= start[~mask].max()


def test_magnitude_before_training_is_not_magnitude_after(quick, tmp_path):
    before = rl.fit(quick.but(prune={"kind": "at_init", "criterion": "magnitude"}, name="before"), tmp_path)
    after = rl.fit(quick.but(name="after"), tmp_path)
    assert any(not torch.equal(before[0, 2].mask[name], mask) for name, mask in after[0, 2].mask.items())


def test_a_global_cut_ranks_all_layers_and_keeps_the_total(quick, tmp_path):
    run = rl.fit(quick.but(scope="global", last_rate=0.2), tmp_path)
    sizes = kept(run[0, 0])
    assert [sum(kept(run[0, level]).values()) for level in range(3)] == counts(sum(sizes.values()), 0.2, 2)
    assert kept(run[0, 2]) != {name: counts(size, 0.2, 2)[-1] for name, size in sizes.items()}
    weights, before, after = run[0, 1].weights, run[0, 1].mask, run[0, 2].mask
    lost = torch.cat([weights[name][before[name] & ~after[name]].abs() for name in after])
    left = torch.cat([weights[name][after[name]].abs() for name in after])
    assert lost.max() <= left.min()


def test_a_layer_left_out_of_a_global_cut_is_whole(quick, tmp_path):
    run = rl.fit(quick.but(scope="global", last_rate=0), tmp_path)
    assert run[0, 2].mask["fc3.weight"].all()
    assert not run[0, 2].mask["fc1.weight"].all()


def test_a_random_cut_is_another_for_every_seed_and_level(quick, tmp_path):
    run = rl.fit(quick.but(criterion="random", seeds=(0, 1)), tmp_path)
    lost = [
        run[seed, level - 1].mask["fc1.weight"] & ~run[seed, level].mask["fc1.weight"] for seed in (0, 1) for level in (1, 2)
    ]
    assert all(not torch.equal(a, b) for at, a in enumerate(lost) for b in lost[:at])


def test_a_pattern_names_the_rate_of_layers(quick, tmp_path):
    run = rl.fit(quick.but(layer_rates="fc[12]=0.5"), tmp_path)
    assert kept(run[0, 1]) == {"fc1.weight": 384, "fc2.weight": 48, "fc3.weight": 72}


def test_with_rewinding_a_level_before_training_is_scored_where_it_starts(quick, tmp_path):
    run = rl.fit(quick.but(prune={"kind": "at_init", "criterion": "magnitude", "rewind": 5, "levels": 1}), tmp_path)
    held = run[0, 0].snapshots[5]["fc1.weight"].abs()
    mask = run[0, 1].mask["fc1.weight"]
    assert held[mask].min() >= held[~mask].max()
