"""What a run would cost: counted where it can be, tried where it cannot."""

import re

import pytest

import rmtlottery as rl
from rmtlottery.train.estimate import estimate, size, spoken, trial
from rmtlottery.train.material import material
from rmtlottery.work.unit import Unit
from tests.commands import command


def test_the_bytes_are_those_that_training_leaves(tiny, tmp_path):
    spec = tiny.but(seeds=(0, 1), snapshots=(3, 5))
    run = rl.fit(spec, tmp_path)
    written = sum(path.stat().st_size for path in run.path.glob("seed-*/*.safetensors"))
    numbers = 12 * 64 + 8 * 12 + 10 * 8 + 12 + 8 + 10
    checkpoint = 2 * 4 * numbers * 3
    assert size(spec, material(spec), spec.levels) - checkpoint == pytest.approx(written, rel=0.15)


def test_the_plan_counts_steps(tiny, tmp_path):
    plan, cost, disk = estimate(material(tiny), Unit(tiny.seeds, threads=1), tmp_path).splitlines()
    assert plan == "plan: 2 seeds x 4 levels x 2 epochs, 104 steps of 2 x 100 samples"
    assert re.fullmatch(
        r"time: about \d+ s with all seeds side by side on this cpu \(1 threads, fp32\), from [\d.]+ ms a step .*GB at .*",
        cost,
    )
    assert disk.startswith("disk: ")
    assert not list(tmp_path.iterdir()), "nothing is trained"


def test_a_trial_is_positive_even_where_a_level_is_two_steps_long(tiny):
    a_step, an_epoch = trial(material(tiny.but(epochs=1, batch=900)), Unit(tiny.seeds))
    assert a_step > 0
    assert an_epoch > 0


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
