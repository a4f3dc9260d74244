"""The rate is chosen by validation, seed by seed of equal weight, and never by test."""

import pandas as pd
import pytest

from rmtlottery.analyze._best_rate import NO_CHOICE, best_rates


def made(rates, split="validation", arm="a", kept=100):
    """rates: lr -> accuracies of its seeds on `split`; test and train are the better the worse that is."""
    others = {"train", "validation", "test"} - {split} - ({"validation"} if split == "train" else set())
    rows = [
        {"lr": lr, "seed": seed, "split": name, "accuracy": value if name == split else 1 - value}
        for lr, values in rates.items()
        for seed, value in enumerate(values)
        for name in (split, *sorted(others))
    ]
    return pd.DataFrame(rows).assign(arm=arm, kept=kept, task="t")


def choice(table):
    held = best_rates(table)
    (chosen,) = {(lr, judge) for lr, judge in zip(held["lr"], held["judge"], strict=True)}
    return chosen


def test_validation_chooses_though_test_and_training_say_otherwise():
    table = made({0.1: [0.5, 0.6], 0.01: [0.7, 0.6], 0.001: [0.2, 0.3]})
    assert choice(table) == (0.01, "validation")
    assert table.query("split == 'test'").groupby("lr")["accuracy"].mean().idxmax() == 0.001
    assert set(best_rates(table)["split"]) == {"train", "validation", "test"}
    assert len(best_rates(table)) == 6


def test_without_validation_training_chooses():
    assert choice(made({0.1: [0.5, 0.6], 0.01: [0.7, 0.6]}, split="train")) == (0.01, "train")


def test_of_equals_the_smaller():
    assert choice(made({0.1: [0.25, 0.75], 0.01: [0.5, 0.5], 0.001: [0.5, 0.25]}))[0] == 0.01


def test_a_rate_with_fewer_seeds_is_no_rival():
    assert choice(made({0.1: [0.9], 0.01: [0.5, 0.6]})) == (0.01, "validation")


def test_draws_of_one_seed_count_as_one_seed():
    table = made({0.1: [0.2, 0.8], 0.01: [0.55, 0.55]})
    again = table.query("lr == 0.1 and seed == 1")
    assert choice(pd.concat([table, again]))[0] == 0.01


@pytest.mark.parametrize(("rival", "best"), [(0.6, 0.01), (0.5, 0.1)])
def test_draws_of_one_seed_are_averaged(rival, best):
    """0.3 and 0.9 are a seed of 0.6, beside one of 0.5."""
    table = made({0.1: [0.5, 0.3], 0.01: [rival, rival]})
    again = made({0.1: [0.5, 0.9]}).query("seed == 1")
    assert choice(pd.concat([table, again]))[0] == best


def test_best_is_the_mean_and_not_the_middle_seed():
    assert choice(made({0.1: [0.1, 0.6, 0.6], 0.01: [0.5, 0.5, 0.5]}))[0] == 0.01


def test_each_arm_and_number_of_weights_has_its_own():
    parts = [
        made({0.1: [0.5], 0.01: [0.6]}),
        made({0.1: [0.7], 0.01: [0.6]}, arm="b"),
        made({0.1: [0.8], 0.01: [0.6]}, kept=50),
        made({0.3: [0.1]}, kept=30),
    ]
    other = made({0.1: [0.9], 0.01: [0.2]}).assign(task="u")
    chosen = best_rates(pd.concat([*parts, other]))
    assert list(chosen.index) == list(range(len(chosen)))
    assert set(chosen.query("task == 'u'")["lr"]) == {0.1}
    held = chosen.query("task == 't'").groupby(["kept", "arm"])[["lr", "judge"]].first()
    assert held["lr"].to_dict() == {(100, "a"): 0.01, (100, "b"): 0.1, (50, "a"): 0.1, (30, "a"): 0.3}
    assert held.loc[(30, "a"), "judge"] == NO_CHOICE


@pytest.mark.parametrize("seed", [0, 1])
def test_accuracies_on_test_are_of_the_chosen_rate(seed):
    held = best_rates(made({0.1: [0.5, 0.6], 0.01: [0.7, 0.65]})).query("split == 'test' and seed == @seed")
    assert held["accuracy"].item() == pytest.approx([0.3, 0.35][seed])


def test_splits_may_be_columns():
    table = pd.DataFrame({"lr": [0.1, 0.01], "validation": [0.5, 0.6], "train": [0.9, 0.8], "accuracy": [0.4, 0.3]})
    table = table.assign(seed=0, task="t", kept=100, arm="a")
    assert choice(table) == (0.01, "validation")
    assert choice(table.assign(validation=float("nan"))) == (0.1, "train")


def test_a_seed_without_validation_is_none_of_a_rate():
    """Of its own split as a column; neither a rate that nobody validated nor one seed of two is a rival."""
    rates, seeds = [0.1, 0.1, 0.1, 0.01, 0.01], [0, 1, 2, 0, 1]
    table = pd.DataFrame({"lr": rates, "seed": seeds, "train": 0.5}).assign(task="t", kept=100, arm="a")
    for accuracies in ([None, None, None, 0.5, 0.6], [None, 0.9, None, 0.5, 0.6]):
        assert choice(table.assign(validation=pd.Series(accuracies, dtype=float))) == (0.01, "validation")


def test_rates_out_for_want_of_seeds_were_no_choice():
    found = best_rates(made({0.1: [0.5, 0.5, 0.5], 0.01: [0.9, 0.9]}))
    assert set(found["lr"]) == {0.1}
    assert set(found["rates"]) == {1}
