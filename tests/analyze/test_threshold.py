"""Where accuracy passes a threshold, by closed forms."""

from math import inf, isnan

import numpy as np
import pandas as pd
import pytest

from rmtlottery.analyze._threshold import crossing, curve, interval, logistic


def rows(*accuracies, dims=(100, 200, 400), seeds=None):
    """One list of accuracies a seed."""
    named = seeds or range(len(accuracies))
    held = [(seed, d, a) for seed, found in zip(named, accuracies, strict=True) for d, a in zip(dims, found, strict=False)]
    return pd.DataFrame(held, columns=["seed", "dim", "accuracy"])


def test_it_is_interpolated_in_log_d():
    assert crossing(rows([0.7, 0.8, 0.9]), 0.85) == pytest.approx(200 * 2**0.5)
    assert crossing(rows([0.7, 0.8, 0.9]), 0.725) == pytest.approx(100 * 2**0.25)


def test_it_is_that_of_the_mean_over_seeds():
    assert crossing(rows([0.6, 0.8, 0.9], [0.8, 0.8, 0.9]), 0.75) == pytest.approx(100 * 2**0.5)


def test_a_dip_is_levelled_by_as_many_seeds_as_each_mean_has():
    table = pd.concat([rows([0.5, 0.9], dims=(100, 200)), rows([0.6], [0.6], [0.6], dims=(400,)), rows([0.9], dims=(800,))])
    _, fit = curve(table)
    assert fit == pytest.approx([0.5, (0.9 + 3 * 0.6) / 4, (0.9 + 3 * 0.6) / 4, 0.9])
    assert crossing(table, 0.8) == pytest.approx(400 * 2 ** ((0.8 - 0.675) / (0.9 - 0.675)))


@pytest.mark.parametrize(("threshold", "found"), [(0.65, 0.0), (0.95, inf)])
def test_where_all_or_none_are_there_no_number_is_invented(threshold, found):
    assert crossing(rows([0.7, 0.8, 0.9]), threshold) == found
    assert isnan(logistic(rows([0.7, 0.8, 0.9]), threshold)) or threshold in (0.65, 0.95)


def test_a_logistic_curve_in_log_d_is_found_again():
    dims = (50, 100, 150, 200, 300, 400)
    table = rows([1 / (1 + (d / 120) ** -1.7) for d in dims], dims=dims)
    assert logistic(table, 0.8) == pytest.approx(120 * 4 ** (1 / 1.7), rel=1e-6)


def test_two_sizes_are_too_few_for_a_curve():
    assert isnan(logistic(rows([0.7, 0.9], dims=(100, 200)), 0.8))


def test_one_seed_has_no_interval():
    assert interval(rows([0.7, 0.8, 0.9]), 0.85) == (pytest.approx(200 * 2**0.5),) * 2


def test_the_interval_lies_between_the_seeds_and_holds_the_estimate():
    table = rows([0.70, 0.80, 0.90], [0.72, 0.82, 0.92], [0.68, 0.78, 0.88])
    low, high = interval(table, 0.85)
    alone = [crossing(part, 0.85) for _, part in table.groupby("seed")]
    assert min(alone) <= low < crossing(table, 0.85) < high <= max(alone)


def test_seeds_are_drawn_whole():
    """Two seeds that never cross each other: half of the draws have one of each, a quarter each one alone."""
    table = rows([0.6, 0.7, 0.8], [0.8, 0.9, 0.99])
    assert interval(table, 0.75) == (0.0, pytest.approx(200 * 2**0.5))


def test_sizes_that_not_every_seed_has_stay_as_they_are():
    table = pd.concat([rows([0.7, 0.9], [0.72, 0.92], dims=(200, 400)), rows([0.1], dims=(100,))])
    low, high = interval(table, 0.71)
    assert 150 < low < high < 220


def test_intervals_cover_as_often_as_bootstraps_of_five_seeds_do():
    """Accuracies that differ by seed: a percentile bootstrap of five covers some 80 to 90 %."""
    stream, hits, dims = np.random.default_rng(1), 0, (100, 150, 200, 300, 400)
    for _ in range(150):
        shift = stream.normal(0, 0.03, 5)
        table = rows(*([0.6 + 0.25 * np.log2(d / 100) / 2 * 1.2 + s for d in dims] for s in shift), dims=dims)
        low, high = interval(table, 0.75)
        hits += low <= 200 <= high
    assert 0.7 < hits / 150 < 0.96
