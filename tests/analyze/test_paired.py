"""Arms whose means are planted under noise that seeds share: only who pairs by seed can tell them apart."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t, ttest_ind

from rmtlottery.analyze._paired import base_of, better, compared, corrected, difference, facts, shared
from rmtlottery.tickets.streams import generator

SEEDS = 5
WEIGHTS = [round(100_000 * 0.8**level) for level in range(14)]
MEANS = {"imp": 0.80, "shuffle_mask": 0.70, "snip at init": 0.76, "fresh_init": 0.70}


def made(means=MEANS, levels=(7, 10), seeds=SEEDS, noise=0.002, shared_noise=0.08):
    """One rate; the same large wobble of each seed in all arms, and a small one of each by itself."""
    numbers = generator(3, "planted")
    wobble = numbers.normal(0, shared_noise, seeds)
    rows = [
        {"level": level, "arm": arm, "seed": seed, "accuracy": mean + wobble[seed] + numbers.normal(0, noise)}
        for level in levels
        for arm, mean in means.items()
        for seed in range(seeds)
    ]
    found = pd.DataFrame(rows)
    return found.assign(
        split="test",
        task="t",
        net="n",
        rule="r",
        lr=0.01,
        density=0.8 ** found["level"],
        weights=[WEIGHTS[n] for n in found["level"]],
    )


def row(rows, arm, level=7):
    return rows[(rows["arm"] == arm) & (rows["kept"] == WEIGHTS[level])].iloc[0]


def test_planted_differences_are_found_by_pairs_that_no_unpaired_test_would_tell():
    table = made()
    rows, scores = compared(table), table.query("level == 7").pivot_table("accuracy", "seed", "arm")
    snip = row(rows, "snip at init")
    assert ttest_ind(scores["snip at init"], scores["shuffle_mask"]).pvalue > 0.05
    assert snip["p_holm"] < 0.001
    assert snip["to_base_low"] < 0.06 < snip["to_base_high"]
    assert snip["to_imp_low"] < -0.04 < snip["to_imp_high"]
    assert snip["share_low"] < 0.6 < snip["share_high"] < 0.75
    assert snip["accuracy_high"] - snip["accuracy_low"] > 5 * (snip["to_base_high"] - snip["to_base_low"])


def test_an_arm_like_the_base_recovers_nothing_and_one_that_is_worse_is_not_better():
    rows = compared(made(MEANS | {"init_mask": 0.6}))
    assert row(rows, "fresh_init")["share_low"] < 0 < row(rows, "fresh_init")["share_high"] < 0.1
    assert row(rows, "fresh_init")["p_holm"] > 0.05
    assert row(rows, "init_mask")["p"] > 0.99


def test_intervals_of_differences_by_hand():
    values = {"imp": [0.9, 0.7, 0.8], "shuffle_mask": [0.6, 0.5, 0.4], "a": [0.7, 0.7, 0.7]}
    rows = [{"seed": n, "arm": arm, "accuracy": v} for arm, held in values.items() for n, v in enumerate(held)]
    found = row(
        compared(
            pd.DataFrame(rows).assign(weights=WEIGHTS[7], task="t", net="n", rule="r", split="test", lr=1, density=0.2)
        ),
        "a",
    )
    reach = t.ppf(0.975, 2) * 0.1 / 3**0.5
    assert found[["to_base", "to_base_low", "to_base_high"]].to_list() == pytest.approx([0.2, 0.2 - reach, 0.2 + reach])
    assert found[["to_imp", "to_imp_low", "to_imp_high"]].to_list() == pytest.approx([-0.1, -0.1 - reach, -0.1 + reach])
    assert found["p"] == pytest.approx(t.sf(0.2 / (0.1 / 3**0.5), 2))
    assert found["share"] == pytest.approx(0.2 / 0.3)
    assert found["seeds"] == 3


def test_holm_by_hand():
    """Sorted: 0.01 x 3, 0.02 x 2, then 0.03 x 1, which may not fall below the one before."""
    found = corrected(pd.DataFrame({"p": [0.03, np.nan, 0.01, 0.02]}))
    assert found["p_holm"].to_list() == pytest.approx([0.04, np.nan, 0.03, 0.04], nan_ok=True)
    assert corrected(pd.DataFrame({"p": [np.nan]}))["p_holm"].isna().all()


def test_the_correction_is_over_arms_and_densities_and_tests_neither_imp_nor_the_base():
    rows = compared(made())
    tested = rows["p"].notna()
    assert set(rows[tested]["arm"]) == {"snip at init", "fresh_init"}
    assert tested.sum() == 4
    least = rows["p"].idxmin()
    assert rows["p_holm"][least] == pytest.approx(4 * rows["p"][least])


def test_pairs_are_of_the_same_seed_whatever_the_order_and_only_of_seeds_that_both_have():
    table = made()
    lost = table[~((table["arm"] == "snip at init") & (table["seed"] == 0))]
    found = row(compared(lost.sample(frac=1, random_state=1)), "snip at init")
    scores = table.query("level == 7 and seed > 0").pivot_table("accuracy", "seed", "arm")
    assert found["to_imp"] == pytest.approx((scores["snip at init"] - scores["imp"]).mean())
    assert found["seeds"] == 4
    whole = (scores["imp"] - scores["shuffle_mask"]).mean()
    assert found["share"] == pytest.approx((scores["snip at init"] - scores["shuffle_mask"]).mean() / whole)


def test_draws_of_one_seed_are_averaged_and_widen_nothing():
    table = made()
    draws = table.query("arm == 'snip at init'")
    shifted = [table, draws.assign(accuracy=draws["accuracy"] + 0.02)]
    once, twice = (row(compared(held), "snip at init") for held in (table, pd.concat(shifted)))
    assert twice["seeds"] == once["seeds"] == SEEDS
    assert twice["to_base"] == pytest.approx(once["to_base"] + 0.01)
    assert twice["to_base_high"] - twice["to_base_low"] == pytest.approx(once["to_base_high"] - once["to_base_low"])


def test_the_chosen_rate_enters_and_test_accuracy_does_not_choose_it():
    table = made().assign(lr=0.01)
    other = table.assign(lr=0.1, accuracy=table["accuracy"] + 0.1)
    lower = [held.assign(split="validation", accuracy=table["accuracy"] - by) for held, by in ((table, 0.2), (other, 0.3))]
    rows = compared(pd.concat([table, other, *lower]))
    assert set(rows["lr"]) == {0.01}
    assert set(rows["judge"]) == {"validation"}
    assert set(rows["rates"]) == {2}
    choice = ["judge", "rates"]
    pd.testing.assert_frame_equal(rows.drop(columns=choice), compared(table).drop(columns=choice))


def test_the_base_is_shuffled_in_layers_or_else_by_lot():
    arms = pd.Series(["imp", "random_mask", "shuffle_mask", "fresh_init"])
    assert base_of(arms) == "shuffle_mask"
    assert base_of(arms[:2]) == "random_mask"
    assert base_of(pd.Series(["imp", "fresh_init"])) == ""


def test_levels_that_imp_alone_has_that_lack_the_base_or_cut_nothing_are_left_out():
    parts = [
        made(),
        made({"imp": 0.9}, levels=(3,)),
        made({"imp": 0.9, "fresh_init": 0.8}, levels=(4,)),
        made(levels=(0,)),
    ]
    assert set(shared(pd.concat(parts))["level"]) == {7, 10}
    assert set(shared(parts[2])["level"]) == {4}
    assert compared(parts[1]).empty


def test_without_imp_or_base_their_columns_are_empty():
    alone = row(compared(made({"imp": 0.8, "fresh_init": 0.7})), "fresh_init")
    assert np.isnan([alone["to_base"], alone["share"], alone["p"], alone["p_holm"]]).all()
    assert alone["to_imp_high"] < 0
    beside = row(compared(made({"shuffle_mask": 0.8, "fresh_init": 0.9})), "fresh_init")
    assert np.isnan([beside["to_imp"], beside["share"]]).all()
    assert beside["p_holm"] < 0.05


def test_one_seed_has_no_interval():
    found = row(compared(made(seeds=1)), "snip at init")
    assert np.isnan([found["to_imp_low"], found["accuracy_high"], found["share"], found["p"]]).all()
    assert found["to_imp"] == pytest.approx(-0.04, abs=0.02)


def test_equal_differences_give_no_p_though_float64_tells_them_apart():
    ours, theirs = pd.Series([0.3, 0.9, 0.8]), pd.Series([0.2, 0.8, 0.7])
    assert (ours - theirs).nunique() > 1
    assert np.isnan(better(difference(ours, theirs)))


def test_density_is_the_mean_of_the_arms_own():
    part = made(levels=(7,))
    part.loc[part["arm"] == "fresh_init", "density"] = [0.9, 1, 1, 1, 1.1]
    part = shared(part).assign(judge="j", rates=1)
    assert facts(part, "fresh_init")["density"] == pytest.approx(1)
    assert facts(part, "imp")["density"] == pytest.approx(0.8**7)


def test_tasks_are_compared_each_with_its_own_base_and_corrected_together():
    other = made(levels=(7,)).replace({"arm": {"shuffle_mask": "random_mask"}}).assign(task="u")
    other["accuracy"] += 0.1
    rows = compared(pd.concat([made(), other]))
    assert rows.groupby("task")["base"].first().to_dict() == {"t": "shuffle_mask", "u": "random_mask"}
    assert rows["p_holm"].notna().sum() == 6
    alone = compared(made())
    columns = ["accuracy", "to_imp", "to_base", "share", "p"]
    pd.testing.assert_frame_equal(rows[rows["task"] == "t"][columns].reset_index(drop=True), alone[columns])
