"""Intervals and axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rmtlottery.analyze._style import density_axis, interval, mean_density, share_interval, spread


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
