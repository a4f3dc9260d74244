"""`fit`: what it chooses, what it records, and that batches of seeds agree with single seeds."""

import numpy as np
import pytest

import rmtlottery as rl
from rmtlottery.tickets.disk import fingerprint


def test_the_root_is_the_environments_unless_given(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("RMTL_RUNS", str(tmp_path / "elsewhere"))
    assert rl.fit(tiny.but(levels=0, seeds=0)).path.parent == tmp_path / "elsewhere"


def test_units_are_chosen_once_and_repeated(tiny, tmp_path):
    run = rl.fit(tiny.but(levels=0), tmp_path, threads=1, seed_batch=1, precision="bf16")
    told = {"device": run.units()[0]["device"], "threads": 1, "precision": "bf16", "sparse": 0.1}
    expected = [{"seeds": [seed]} | told for seed in (0, 1)]
    assert run.units() == expected
    assert rl.fit(tiny.but(levels=0), tmp_path).units() == expected
    assert run[1, 0].record["unit"] == expected[1]


def test_the_same_unit_gives_the_same_bits(tiny, tmp_path):
    ends = [rl.fit(tiny, tmp_path / name, threads=1)[1, 3].weights for name in "ab"]
    assert fingerprint(ends[0]) == fingerprint(ends[1])


def test_batched_seeds_agree_statistically_with_single_ones(tiny, tmp_path):
    """Same seeds, other rounding: final losses are paired, and their mean difference is within its error."""
    spec = tiny.but(levels=1, epochs=3, seeds=tuple(range(8)), batch=50)
    together = rl.fit(spec, tmp_path / "together").metrics.query("epoch == 3")
    alone = rl.fit(spec, tmp_path / "alone", seed_batch=1).metrics.query("epoch == 3")
    gap = together["train_loss"].to_numpy() - alone["train_loss"].to_numpy()
    spread = together["train_loss"].std()
    assert np.abs(gap).max() < 0.05 * spread
    assert spread > 0.01


def test_precision_is_used(tiny, tmp_path):
    one, other = (rl.fit(tiny.but(levels=0, seeds=0), tmp_path / p, precision=p)[0, 0].weights for p in ("fp32", "bf16"))
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"precision": "fp8"}, "precision = 'fp8' is not fp32 or bf16"),
        ({"threads": 0}, "threads = 0 is not a whole number of at least 1"),
        ({"seed_batch": 0}, "seed_batch = 0 is not at least 1"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(tiny, tmp_path, options, match):
    with pytest.raises(rl.Refusal, match=match):
        rl.fit(tiny, tmp_path, **options)


def test_an_unknown_option_is_refused_before_anything_is_made(tiny, tmp_path):
    with pytest.raises(rl.Refusal, match="unknown option of fit 'treads': did you mean 'threads'"):
        rl.fit(tiny, tmp_path, treads=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("start", [5, "run", [1]])
def test_what_is_no_ticket_is_no_start(tiny, tmp_path, start):
    with pytest.raises(rl.Refusal, match="is no ticket and no list of tickets"):
        rl.fit(tiny, tmp_path, start=start)


def test_bf16_of_a_module_is_refused_before_a_run_is_made(tiny, tmp_path):
    with pytest.raises(rl.Refusal, match="precision = bf16 is for nets of fc and conv"):
        rl.fit(tiny.but(net={"kind": "resnet", "depth": 8, "stem": 2}), tmp_path, precision="bf16")
    assert not list(tmp_path.iterdir())
