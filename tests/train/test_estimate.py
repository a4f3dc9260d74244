"""What a run would cost: counted where it can be, tried where it cannot."""

import re

import pytest

import rmtlottery as rl
from rmtlottery.train.child import child
from rmtlottery.train.estimate import at, densities_of, estimate, size, spoken, trials
from rmtlottery.train.material import material
from rmtlottery.train.trial import Trial
from rmtlottery.work.unit import Unit
from tests.commands import command

WHOLE, FIRST, LAST = Trial(0.999, False, 4.0, 2.0), Trial(0.2, True, 3.0, 1.0), Trial(0.1, True, 1.0, 0.6)


def test_the_bytes_are_those_that_training_leaves(tiny, tmp_path):
    spec = tiny.but(seeds=(0, 1), snapshots=(3, 5))
    run = rl.fit(spec, tmp_path)
    written = sum(path.stat().st_size for path in run.path.glob("seed-*/*.safetensors"))
    numbers = 12 * 64 + 8 * 12 + 10 * 8 + 12 + 8 + 10
    checkpoint = 2 * 4 * numbers * 3
    assert size(spec, material(spec), spec.levels) - checkpoint == pytest.approx(written, rel=0.15)


@pytest.mark.parametrize("chart", [{"chart": "full"}, {"chart": "principal", "dim": 5}])
def test_the_bytes_of_a_child_are_those_that_training_leaves(tiny, tmp_path, chart):
    parent = rl.fit(tiny.but(levels=0, snapshots=(3, 5, 9, 20)), tmp_path)
    run = child(parent, tmp_path, chart | {"snapshots": ()})
    written = sum(path.stat().st_size for path in run.path.rglob("*.safetensors"))
    headers = sum(8 + int.from_bytes(path.read_bytes()[:8], "little") for path in run.path.rglob("*.safetensors"))
    numbers = 12 * 64 + 8 * 12 + 10 * 8 + 12 + 8 + 10
    checkpoint = 2 * 4 * numbers * 3
    found = size(run.spec, material(run.spec), run.spec.levels) - checkpoint
    assert found == pytest.approx(written - headers, rel=0.02)


def test_the_plan_counts_steps(tiny, tmp_path):
    plan, cost, memory, disk = estimate(material(tiny), Unit(tiny.seeds, threads=1), tmp_path).splitlines()
    assert plan == "plan: 2 seeds x 4 levels x 2 epochs, 104 steps of 2 x 100 samples"
    assert re.fullmatch(
        r"time: about \d+ s with all seeds side by side on this cpu \(1 threads, fp32\): a step of whole weights [\d.]+ ms, "
        r"scoring [\d.]+ s an epoch",
        cost,
    )
    assert re.fullmatch(r"memory: at most [\d.]+ GB by count, [\d.]+ GB at the peak of the trial", memory)
    assert disk.startswith("disk: ")
    assert not list(tmp_path.iterdir()), "nothing is trained"


def test_densities_are_those_of_all_parameters(tiny, tmp_path):
    run = rl.fit(tiny, tmp_path)
    kept = [30 + sum(int(mask.sum()) for mask in run[0, level].mask.values()) for level in range(4)]
    assert densities_of(material(tiny)) == pytest.approx([number / kept[0] for number in kept], rel=1e-12)


@pytest.mark.parametrize(
    ("density", "cost"), [(1.0, (4.0, 2.0)), (0.3, (4.0, 2.0)), (0.2, (3.0, 1.0)), (0.15, (2.0, 0.8)), (0.1, (1.0, 0.6))]
)
def test_between_two_trials_of_survivors_cost_is_linear_in_density(density, cost):
    assert at([WHOLE, FIRST, LAST], density) == pytest.approx(cost)


def test_one_trial_of_survivors_speaks_for_itself_and_none_for_no_level():
    assert at([WHOLE, FIRST], 0.2) == (3.0, 1.0)
    assert at([WHOLE], 0.01) == (4.0, 2.0)


def test_what_will_be_sparse_is_tried_at_both_ends(tiny, monkeypatch):
    monkeypatch.setattr("rmtlottery.train.reach.LARGE", 1)
    densities = densities_of(material(tiny))
    tried = list(trials(material(tiny), Unit(tiny.seeds, sparse=0.7), densities))
    assert [(held.density, held.few) for held in tried] == [(0.999, False), (densities[2], True), (densities[3], True)]


@pytest.mark.parametrize(
    ("hours", "words"), [(0.001, "4 s"), (0.03, "108 s"), (0.04, "2 min"), (1.99, "119 min"), (2.25, "2.2 h")]
)
def test_times_are_spoken(hours, words):
    assert spoken(hours) == words


def test_a_dry_run_says_it_and_leaves_nothing(tmp_path):
    code, out, err = command("train", "first", "--dry-run", "--root", tmp_path / "runs")
    assert (code, err) == (0, "")
    assert "plan: 2 seeds x 7 levels x 8 epochs" in out
    assert not (tmp_path / "runs").exists()
