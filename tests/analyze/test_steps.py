"""The first step at which an accuracy is reached, from metrics by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.steps import headline, table, targets


def made(accuracies, column="validation_accuracy", first=10):
    rows = [{"epoch": n, "step": first * n, column: a, "test_accuracy": 0.99} for n, a in enumerate(accuracies, start=1)]
    return SimpleNamespace(metrics=[row | ({column: row[column]} if column else {}) for row in rows])


def test_it_is_the_first_row_that_is_there_even_if_it_falls_again():
    found = table(made([0.3, 0.8, 0.6, 0.9])).set_index("target")
    assert found.loc[0.3, ["step", "epoch"]].to_list() == [10, 1]
    assert found.loc[0.7, ["step", "epoch"]].to_list() == [20, 2]
    assert found.loc[0.9, ["step", "epoch"]].to_list() == [40, 4]
    assert found.loc[0.9, "reached"]


def test_what_is_not_reached_has_no_step():
    row = table(made([0.3, 0.8]), target=0.85).iloc[0]
    assert not row["reached"]
    assert np.isnan(row[["step", "epoch"]].to_list()).all()


def test_the_targets_are_multiples_of_5_percent_or_the_one_asked():
    assert table(made([0.3]))["target"].to_list() == pytest.approx([0.05 * n for n in range(1, 20)])
    assert table(made([0.3]), target=0.123)["target"].to_list() == [0.123]


def test_a_target_that_float32_rounds_down_is_reached():
    assert float(np.float32(0.95)) < 0.95
    assert table(made([float(np.float32(0.95))]), target=0.95)["reached"].all()
    assert not table(made([0.9499]), target=0.95)["reached"].any()


def test_without_a_validation_part_it_is_the_test_part():
    assert set(table(made([0.3]))["split"]) == {"validation"}
    rows = [{"epoch": 1, "step": 5, "train_accuracy": 0.9, "test_accuracy": 0.4}]
    found = table(SimpleNamespace(metrics=rows))
    assert set(found["split"]) == {"test"}
    assert found["reached"].sum() == 8


def test_what_makes_no_sense_is_refused():
    with pytest.raises(rl.Refusal, match=r"target = 1\.5 is no accuracy between 0 and 1"):
        table(made([0.3]), target=1.5)
    with pytest.raises(rl.Refusal, match="was not trained"):
        table(SimpleNamespace(metrics=[]))


def over(levels):
    """A table of levels, each with the accuracies of its seeds."""
    frames = [
        table(made(accuracies)).assign(run="r", seed=seed, level=level, density=0.5**level)
        for level, seeds in enumerate(levels)
        for seed, accuracies in enumerate(seeds)
    ]
    return pd.concat(frames, ignore_index=True)


LEVELS = over(
    [
        [[0.2, 0.5, 0.7], [0.2, 0.6, 0.9]],
        [[0.2, 0.75, 0.9], [0.2, 0.5, 0.7]],
        [[0.8, 0.8, 0.8], [0.2, 0.2, 0.2]],
    ]
)


def test_the_targets_shown_are_reached_by_every_dense_seed_after_the_first_epoch():
    assert targets(LEVELS) == pytest.approx([0.25, 0.4, 0.55, 0.7])
    assert targets(over([[[0.62, 0.7]], [[0.9, 0.9]]])) == pytest.approx([0.65, 0.7])
    assert targets(over([[[0.62, 0.62]], [[0.9, 0.9]]])) == pytest.approx([0.6])
    assert targets(over([[[0.01]], [[0.9]]])) == pytest.approx([0.9])
    assert targets(over([[[0.01]]])) == pytest.approx([0.95])


def test_the_headline_is_about_the_highest_target_of_all_dense_seeds():
    """70 %: dense 30 and 30 steps, level 1 20 and 30; level 2 is faster with one seed and never with the other."""
    words = headline(LEVELS)
    assert "r: 70 % validation accuracy takes 30 [30, 30] steps (density 100.0%) densest" in words
    assert "and 25 [0, 89] steps (density 50.0%) in the fastest of 3 levels" in words


def test_the_headline_says_when_nothing_is_reached():
    assert "reaches no target with every seed" in headline(over([[[0.01]]]))


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 2", "seed == 1 and level == 2", "seed == 1"])
def test_the_figure_has_steps_above_and_shares_below(which):
    found = LEVELS.query(which)
    figure = rl.plot("steps", pd.concat([found, found.assign(run="other")]))
    assert [axes.get_title() for axes in figure.axes[::2]] == ["other", "r"]
    assert all(axes.get_ylabel() == "steps from theta_0, in whole epochs" for axes in figure.axes[::2])
    assert all(axes.get_ylabel() == "share of\nseeds there" for axes in figure.axes[1::2])


def test_the_figure_names_its_targets_and_shows_who_is_missing():
    figure = rl.plot("steps", LEVELS)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["25 %", "40 %", "55 %", "70 %"]
    shares = [line.get_ydata() for line in figure.axes[1].get_lines() if len(line.get_ydata())]
    assert sorted(map(list, shares)) == [[0.5, 1.0, 1.0]] * 4 or sorted(map(list, shares)) == [[1.0, 1.0, 0.5]] * 4


def test_a_real_run_has_its_own_steps(tiny_run):
    found = rl.tabulate("steps", tiny_run)
    recorded = tiny_run.metrics
    assert set(found["step"].dropna()) <= set(recorded["step"])
    assert found.groupby(["seed", "level"]).size().to_list() == [19] * 8
    ends = recorded.groupby(["seed", "level"])["validation_accuracy"].max()
    for place, rows in found.groupby(["seed", "level"]):
        assert rows["reached"].sum() == int((ends[place] + 1e-6) / 0.05)
