"""Intervals and axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    mean_density,
    mean_words,
    near,
    over_seeds,
    seeds_words,
    share_interval,
    spread,
)


def test_the_interval_is_that_of_student():
    values = pd.Series([0.91, 0.93, 0.94, 0.90, 0.95])
    expected = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert interval(values) == pytest.approx(expected, rel=1e-12)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 1.0, (800, 4))
    ends = np.array([interval(pd.Series(draw)) for draw in draws])
    hits = int(((ends[:, 0] < 3) & (ends[:, 1] > 3)).sum())
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], 800, 0.95)
    assert low <= hits <= high
    assert hits < stats.binom.ppf(1e-4, 800, 0.99), "too blunt: a 99 % interval would pass"


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5, 0.5]])
def test_where_nothing_varies_there_is_no_band(values):
    assert interval(pd.Series(values)) == (0.5, 0.5)


def test_an_interval_of_shares_stays_between_0_and_1():
    low, high = share_interval(pd.Series([0.9, 1.0]))
    assert 0 < low < 0.95
    assert high == 1.0


def test_the_density_axis_runs_from_dense_to_sparse_in_percent():
    figure, axes = plt.subplots()
    axes.plot([1, 0.1, 0.03], [1, 2, 3])
    density_axis(axes)
    figure.canvas.draw()
    assert axes.get_xlim()[0] > axes.get_xlim()[1]
    assert {"100 %", "10 %", "5 %"} <= {label.get_text() for label in axes.get_xticklabels()}
    plt.close(figure)


def test_a_level_is_one_point_of_the_axis_even_where_seeds_differ():
    table = pd.DataFrame({"run": "r", "level": [1, 1, 2], "density": [0.5, 0.7, 0.1]})
    assert mean_density(table)["density"].tolist() == pytest.approx([0.6, 0.6, 0.1])


def test_spread_keeps_the_ends():
    assert spread(list(range(16)), 4) == [0, 5, 10, 15]
    assert spread([3, 4], 6) == [3, 4]


def test_a_mean_is_said_with_its_interval_and_a_single_seed_with_none():
    low, high = stats.t.interval(0.95, 1, loc=0.55, scale=0.05)
    assert mean_words(pd.Series([0.5, 0.6]), ".2f") == f"0.55 [{low:.2f}, {high:.2f}]"
    assert mean_words(pd.Series([0.5, 0.6]), ".0%", share_interval) == f"55% [0%, {min(high, 1):.0%}]"
    assert mean_words(pd.Series([0.5]), ".1%") == "50.0%"


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([("a", 1), ("a", 0)], "mean and 95 % interval over seeds [0, 1]"),
        ([("a", 2)], "seed 2 alone, no interval"),
        ([("a", 0), ("a", 1), ("b", 1), ("b", 0)], "mean and 95 % interval over seeds [0, 1]"),
        (
            [("b", 0), ("c", 0), ("a", 0), ("a", 1)],
            "mean and 95 % interval over seeds [0, 1], of a; seed 0 alone, no interval, of b, c",
        ),
    ],
)
def test_seeds_are_said_run_by_run_where_they_differ(runs, words):
    assert over_seeds(pd.DataFrame(runs, columns=["run", "seed"])) == words


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1,), "one seed, no interval"),
        ((3,), "mean of 3 seeds\nwith 95 % interval"),
        ((3, 3), "mean of 3 seeds\nwith 95 % interval"),
        ((3, 1), "mean of 1 to 3 seeds\nwith 95 % interval"),
    ],
)
def test_a_legend_says_of_how_many_seeds_lines_are(numbers, words):
    assert seeds_words(*numbers) == words


def test_far_out_is_three_ranges_of_the_middle_half_beyond_it():
    values = pd.Series([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 16.0, 25.0])
    assert near(values).to_list() == values.to_list()[:-1]
    assert near(-values).to_list() == (-values).to_list()[:-1]
    low, high = np.quantile(values, [0.25, 0.75])
    assert set(near(values)) == {value for value in values if low - 3 * (high - low) <= value <= high + 3 * (high - low)}
    assert near(pd.Series([0.5, 0.5, 0.51, 0.52, 0.1])).min() == 0.5
    assert len(near(pd.Series([], dtype=float))) == 0
