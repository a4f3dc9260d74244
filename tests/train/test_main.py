"""`python -m rmtlottery.train` as a user types it."""

import pytest

import rmtlottery as rl
from rmtlottery.tickets.spec import PASSED, every_field
from rmtlottery.train.__main__ import main, page, read, share
from rmtlottery.work.unit import cores
from tests.commands import command

SMALL = ["first", "--widths", "6,5", "--levels", "1", "--epochs", "1", "--seeds", "3"]


def test_it_trains_says_where_theory_puts_the_net_and_what_comes_next(tmp_path, capsys):
    assert main([*SMALL, "--root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "1x8x8 -> 6 -> 5 -> 10, tanh, seeds 3" in out
    assert "mean |x|^2/fan_in 1.000 train" in out
    assert "chi = 1.0027, q* = 0.7713, xi_c = 378.8 layers: at the edge of chaos" in out
    assert out.endswith(f"next: python -m rmtlottery.analyze {tmp_path}/first-widths=6,5-epochs=1-levels=1\n")
    assert len(rl.Run(tmp_path / "first-widths=6,5-epochs=1-levels=1")) == 2


def test_a_toml_file_may_start_from_a_preset_and_name_parts(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'preset = "first"\nlr = 0.01\nseeds = [4, 5]\n[net]\nwidths = "3x7"\n[optimiser]\nkind = "sgd"\nmomentum = 0.5\n'
    )
    spec = read(str(path))
    assert (spec.name, spec.seeds, spec.net.widths) == ("mine", (4, 5), (7, 7, 7))
    assert (spec.optimiser.kind, spec.optimiser.lr, spec.optimiser.momentum) == ("sgd", 0.01, 0.5)
    assert spec.schedule == rl.preset("first").schedule


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "name one preset, TOML file or run, not 0"),
        (["first", "digits"], "not 2"),
        (["fist"], "unknown preset 'fist': did you mean 'first'"),
        (["gone.toml"], r"gone\.toml is no TOML file that can be read: .*No such file"),
        (["first", "--lrr", "1"], "unknown option '--lrr': did you mean '--lr'"),
        (["first", "--momentum", "0.5"], "momentum is a field of optimiser 'sgd', and this spec has optimiser 'adam'"),
    ],
)
def test_bad_words_are_refused(words, match):
    with pytest.raises(rl.Refusal, match=match):
        main(words)


def test_workers_share_processors_and_seeds_unless_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert share(rl.Spec(seeds=(0, 1, 2)), 2) == {"seed_batch": 2}
    assert cores() == 8, "what the user says stands"
    monkeypatch.delenv("OMP_NUM_THREADS")
    whole = cores()
    share(rl.Spec(), 2)
    assert cores() == max(1, whole // 2)


def test_every_field_of_a_spec_is_a_flag():
    flags = {field.name for group in page().groups.values() for field in group}
    assert {field.name for _, kind, field in every_field() if kind not in PASSED} <= flags


def test_a_folder_with_another_spec_is_refused_without_a_traceback(tmp_path):
    assert command("train", *SMALL, "--name", "x", "--root", tmp_path)[0] == 0
    code, _, err = command("train", *SMALL, "--name", "x", "--lr", "0.5", "--root", tmp_path)
    assert code == 2
    assert "optimiser.lr is 0.001 there and 0.5 here" in err
    assert "--name x-2" in err
    assert err.count("\n") == 1


def test_a_runs_folder_goes_on_where_it_lies_and_its_control_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--widths", "6", "--levels", "1", "--epochs", "1", "--name", "p", "--root", "store"]
    assert main(["first", *words]) == 0
    (tmp_path / "store" / "p").rename(tmp_path / "store" / "moved")
    assert main(["store/moved"]) == 0
    assert main(["store/moved", "--control", "shuffle_mask", "--seeds", "1", "--at", "1"]) == 0
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["moved", "moved-on-shuffle_mask-0"]
    assert [(t.seed, t.level) for t in rl.Run("store/moved-on-shuffle_mask-0")] == [(1, 1)]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--at", "1"], "--control-seed and --at go with --control"),
        (["--control", "rewound", "--at", "7"], r"has no level 7; it has \[0, 1, 2, 3\]"),
        (["--control", "rewound", "--levels", "2"], "take --at"),
        (["--control", "shufle_mask"], "unknown control 'shufle_mask': did you mean 'shuffle_mask'"),
        (["--control", "small_dense"], r"different shapes; train each level by itself \(--at\)"),
    ],
)
def test_bad_words_about_controls_are_refused(tiny_run, words, match):
    with pytest.raises(rl.Refusal, match=match):
        main([str(tiny_run.path), *words])


def test_every_control_is_in_the_help():
    from rmtlottery.train.__main__ import controls
    from rmtlottery.train.controls import CONTROLS, NUMBERED

    numbered = [name.partition(":")[0] for name in controls() if ":" in name]
    assert {name for name in controls() if ":" not in name} == set(CONTROLS)
    assert sorted(numbered) == sorted(NUMBERED)
    assert all(words.endswith(".") for words in controls().values())


def test_a_dry_run_takes_no_workers():
    with pytest.raises(rl.Refusal, match="--dry-run tries all seeds side by side here: leave --seed-batch"):
        main(["first", "--dry-run", "--workers", "2"])


DINT = ["dint", "digits", "--widths", "24", "--lr", "0.01", "--epochs", "2", "--seeds", "0", "--threads", "1"]


def test_it_looks_for_the_intrinsic_dimension_and_writes_a_report(tmp_path, capsys):
    assert main([*DINT, "--threshold", "0.4", "--root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "1x8x8 -> 24 -> 10, tanh, seeds 0" in out
    assert "d at 40 % test accuracy is fastfood" in out
    report = tmp_path / "dint-digits-widths=24-lr=0.01-epochs=2-levels=0" / "report.html"
    assert out.endswith(f"report: {report}\n")
    assert "intrinsic dimension" in report.read_text()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["dint"], "name one preset or TOML file, not 0"),
        (["dint", "digits", "first"], "not 2"),
        ([*DINT, "--threshold", "1.5"], "threshold = 1.5 is no accuracy"),
        ([*DINT, "--start", "0"], "start = 0 is not at least 1"),
        ([*DINT, "--control", "rewound"], "--control does not go with dint"),
        ([*DINT, "--seed-batch", "1"], "--seed-batch does not go with dint"),
        ([*DINT, "--chart", "principal"], "a principal chart takes its directions from tickets, .*: train a child of a run"),
        (["first", "--threshold", "0.5"], "--threshold goes with dint"),
        (["first", "--chart", "affine", "--dim", "0"], "dim = 0 is not at least 1"),
        (["first", "--chart", "affine", "--dim", "999999"], "dim = 999999 is more than the net's"),
        (["first", "--chart", "affine", "--projection", "fastfod"], "did you mean 'fastfood'"),
        (["first", "--dim", "7"], "dim is a field of chart 'principal' or 'affine' or 'said' or 'sum'"),
    ],
)
def test_a_search_that_cannot_be_is_refused_in_a_sentence(words, match, tmp_path):
    with pytest.raises(rl.Refusal, match=match):
        main([*words, "--root", str(tmp_path)])
