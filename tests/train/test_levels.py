"""Train, cut, rewind, again: what is cut, what is kept, and what a restart repeats."""

import threading

import pytest
import torch

import rmtlottery as rl
from rmtlottery.prune.cut import counts
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.train import levels, material, saving


def hashes(run):
    return {(ticket.seed, ticket.level): fingerprint(ticket.weights) for ticket in run}


def test_each_level_keeps_the_largest_of_what_the_last_one_kept(tiny_run):
    for seed in (0, 1):
        for level in (1, 2, 3):
            before, after = tiny_run[seed, level - 1], tiny_run[seed, level]
            for name, mask in after.mask.items():
                assert not torch.any(mask & ~before.mask[name])
                cut = before.mask[name] & ~mask
                assert before.weights[name][cut].abs().max() <= before.weights[name][mask].abs().min()


def test_counts_are_exact_and_the_last_layer_has_its_own_rate(tiny_run):
    sizes = {"fc1.weight": (768, 0.2), "fc2.weight": (96, 0.2), "fc3.weight": (80, 0.1)}
    for ticket in tiny_run:
        for name, (size, rate) in sizes.items():
            assert int(ticket.mask[name].sum()) == counts(size, rate, 3)[ticket.level]


def test_biases_are_never_pruned_and_always_rewound(tiny_run):
    ticket = tiny_run[0, 3]
    assert not [name for name in ticket.mask if "bias" in name]
    for name in ("fc1.bias", "fc3.bias"):
        assert torch.equal(ticket.rewound[name], ticket.init[name])
        assert not torch.equal(ticket.weights[name], ticket.init[name])


def test_rewinding_goes_to_the_weights_after_that_step_of_level_0(tiny, tmp_path):
    run = rl.fit(tiny.but(rewind=5, snapshots=5, levels=2, seeds=0), tmp_path)
    dense = run[0, 0]
    for level in (1, 2):
        assert run[0, level].record["start_step"] == 5
        for name, value in run[0, level].start.items():
            assert torch.equal(value, dense.snapshots[5][name])
    assert not torch.equal(run[0, 1].start["fc1.weight"], dense.init["fc1.weight"])
    assert [row["step"] for row in run[0, 1].metrics] == [13, 26]


@pytest.mark.parametrize("rewind", [0, 5])
def test_training_begins_at_the_start_that_the_ticket_names_with_a_fresh_optimiser(tiny, tmp_path, rewind):
    """Adam's first step without memory moves every weight by the learning rate; with memory it would not."""
    run = rl.fit(tiny.but(rewind=rewind, snapshots=rewind + 1, levels=2, seeds=0), tmp_path)
    for level in (1, 2):
        ticket = run[0, level]
        after = ticket.snapshots[rewind + 1]
        moves = torch.cat([(after[name] - ticket.rewound[name]).flatten().abs() for name in after])
        assert moves.max() < 1.001e-3
        assert moves[moves > 0].median() == pytest.approx(1e-3, rel=1e-3)


def test_every_epoch_of_every_level_of_every_seed_has_an_order_of_its_own(tiny, tmp_path, monkeypatch):
    from rmtlottery.train import step

    asked, epoch_order = [], step.epoch_order
    monkeypatch.setattr(step, "epoch_order", lambda *address: asked.append(address) or epoch_order(*address))
    rl.fit(tiny.but(levels=2), tmp_path)
    assert sorted(asked) == [(seed, level, epoch, 1293) for seed in (0, 1) for level in range(3) for epoch in range(2)]


def test_a_finished_run_is_not_trained_again(tiny_run, tiny, monkeypatch):
    monkeypatch.setattr(levels, "train", lambda *what: pytest.fail("trained again"))
    assert len(rl.fit(tiny, tiny_run.path.parent)) == 8


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_only_the_damaged_ticket_is_rebuilt_and_to_the_same_bits(tiny, tmp_path, suffix, capsys):
    run = rl.fit(tiny, tmp_path)
    before, path = hashes(run), run.path / "seed-1" / f"level-02.{suffix}"
    times = {file: file.stat().st_mtime_ns for file in run.path.glob("seed-*/*")}
    path.write_bytes(path.read_bytes()[:100])
    again = rl.fit(tiny, tmp_path)
    rebuilt = {file for file, time in times.items() if file.stat().st_mtime_ns != time}
    assert {file.stem for file in rebuilt} == {"level-02"}
    assert {file.parent.name for file in rebuilt} == {"seed-1"}
    assert hashes(again) == before
    assert f"level-02.{suffix} is damaged" in capsys.readouterr().err


def test_an_added_seed_leaves_the_others_as_they_were(tiny, tmp_path):
    before = hashes(rl.fit(tiny, tmp_path))
    more = hashes(rl.fit(tiny.but(seeds=(1, 4)), tmp_path))
    assert before.items() < more.items()
    assert {seed for seed, _ in more} == {0, 1, 4}


def test_a_diverged_seed_is_recorded_and_the_others_finish(tiny, tmp_path, monkeypatch):
    from rmtlottery.nets.init import initial

    def poisoned(init, shapes, seed):
        weights = initial(init, shapes, seed)
        if seed == 1:
            weights["fc1.bias"][0] = float("inf")
            weights["fc2.weight"][:, 0] = float("nan")
        return weights

    monkeypatch.setattr(material, "initial", poisoned)
    run = rl.fit(tiny, tmp_path)
    assert [(ticket.seed, ticket.level) for ticket in run] == [(0, level) for level in range(4)]
    assert [fault.partition(": ")[2] for fault in run.faults()] == ["seed 1 diverged in level 0 at step 0"]
    with pytest.raises(rl.Refusal, match="seed 1 diverged in level 0 at step 0"):
        run[1, 0]
    monkeypatch.setattr(levels, "train", lambda *what: pytest.fail("a diverged seed is tried again"))
    rl.fit(tiny, tmp_path)


def test_the_number_of_threads_is_put_back(tiny, tmp_path):
    before = torch.get_num_threads()
    rl.fit(tiny.but(seeds=0, levels=0), tmp_path, threads=before + 1)
    assert torch.get_num_threads() == before


def test_training_draws_nothing_from_the_global_generator(tiny, tmp_path):
    before = torch.random.get_rng_state()
    rl.fit(tiny.but(seeds=0, levels=1), tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_is_cut_is_exactly_zero_in_every_ticket(tiny_run):
    for ticket in tiny_run:
        for name, mask in ticket.mask.items():
            assert (ticket.weights[name][~mask] == 0).all()
            assert (ticket.weights[name][mask] != 0).all()


def test_a_checkpoint_holds_its_own_step_though_training_went_on_while_it_was_written(tiny, tmp_path, monkeypatch):
    """No save begins before training is over, and each writes what stood at the step that it was handed over."""
    seen, kept, over = {}, {}, threading.Event()

    def save(self, level, facts, tensors):
        over.wait(10)
        kept[facts["step"]] = (len(facts["rows"][0]), fingerprint(tensors))

    def watch(self, level, state):
        seen[state.step] = (len(state.rows[0]), fingerprint(state.tensors))
        if state.step == level.last_step:
            over.set()

    monkeypatch.setattr(saving, "SAVE_EVERY", -1.0)
    monkeypatch.setattr("rmtlottery.train.behind.Behind.hand", lambda self, work: self.pool.submit(work))
    monkeypatch.setattr("rmtlottery.tickets.progress.Progress.save", save)
    monkeypatch.setattr("rmtlottery.train.bar.Bar.step", watch)
    rl.fit(tiny.but(levels=0), tmp_path)
    assert len(seen) == 26
    assert kept == seen


@pytest.fixture
def everything_is_large(monkeypatch):
    """Small products are left to kept weights too, if the unit says so."""
    monkeypatch.setattr("rmtlottery.train.reach.LARGE", 1)


def kinds_of_steps(monkeypatch):
    """(level, its mask if it multiplies survivors alone) of every level that is trained from here on."""
    seen, train = [], levels.train
    monkeypatch.setattr(levels, "train", lambda job, *rest: seen.append((job.number, job.survivors)) or train(job, *rest))
    return seen


def test_survivors_are_multiplied_alone_from_the_density_that_the_unit_says(
    tiny, tmp_path, everything_is_large, monkeypatch
):
    seen = kinds_of_steps(monkeypatch)
    run = rl.fit(tiny, tmp_path, sparse=0.7)
    kept = [sum(int(mask.sum()) for mask in run[0, level].mask.values()) + 30 for level in range(4)]
    densities = [number / kept[0] for number in kept]
    assert [mask is not None for _, mask in seen] == [density <= 0.7 for density in densities] == [False, False, True, True]


def test_sparse_steps_end_where_whole_ones_do(tiny, tmp_path, everything_is_large):
    """One level from the same start: weights apart by rounding, scores alike, zeros exact."""
    spec = tiny.but(levels=1, rate=0.6)
    whole, few = (rl.fit(spec, tmp_path / str(sparse), sparse=sparse) for sparse in (0.0, 0.5))
    for ours, theirs in zip(few, whole, strict=True):
        for name, weight in ours.weights.items():
            torch.testing.assert_close(weight, theirs.weights[name], rtol=1e-3, atol=1e-4)
        assert all((ours.weights[name][~mask] == 0).all() for name, mask in ours.mask.items())
        assert all(torch.equal(mask, theirs.mask[name]) for name, mask in ours.mask.items())
    assert few.metrics.test_accuracy.tolist() == pytest.approx(whole.metrics.test_accuracy.tolist(), abs=0.01)
    assert few[0, 1].metrics != whole[0, 1].metrics, "they are two ways"


def test_small_products_stay_whole(tiny, tmp_path, monkeypatch):
    seen = kinds_of_steps(monkeypatch)
    rl.fit(tiny, tmp_path, sparse=1.0)
    assert [mask for _, mask in seen] == [None] * 4


def test_convolutions_and_masks_of_unequal_size_stay_whole(tiny, tmp_path, everything_is_large, monkeypatch):
    seen = kinds_of_steps(monkeypatch)
    rl.fit(tiny.but(net={"kind": "conv", "channels": "2x3"}, levels=1), tmp_path, sparse=1.0)
    assert [mask for _, mask in seen] == [None] * 2
    run = rl.fit(tiny.but(levels=1), tmp_path, sparse=0.0)
    smaller = run[1, 1]
    smaller.mask["fc1.weight"][0] = False
    rl.fit(tiny.but(name="unequal"), tmp_path, start=[run[0, 1], smaller], sparse=1.0)
    assert seen[-1] == (1, None)
