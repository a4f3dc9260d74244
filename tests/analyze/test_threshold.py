"""Where accuracy passes a threshold, by closed forms."""

from math import inf, isnan

import numpy as np
import pandas as pd
import pytest

from rmtlottery.analyze._threshold import balanced, crossing, curve, interval, logistic


def rows(*accuracies, dims=(100, 200, 400), seeds=None):
    """One list of accuracies a seed."""
    named = seeds or range(len(accuracies))
    held = [(seed, d, a) for seed, found in zip(named, accuracies, strict=True) for d, a in zip(dims, found, strict=False)]
    return pd.DataFrame(held, columns=["seed", "dim", "accuracy"])


def asked(table, threshold):
    return table.assign(threshold=threshold)


def test_it_is_interpolated_in_log_d():
    assert crossing(rows([0.7, 0.8, 0.9]), 0.85) == pytest.approx(200 * 2**0.5)
    assert crossing(rows([0.7, 0.8, 0.9]), 0.725) == pytest.approx(100 * 2**0.25)


def test_it_is_that_of_the_mean_over_seeds():
    assert crossing(rows([0.6, 0.8, 0.9], [0.8, 0.8, 0.9]), 0.75) == pytest.approx(100 * 2**0.5)


def test_a_dip_is_levelled():
    _, fit = curve(rows([0.5, 0.9, 0.6, 0.9], dims=(100, 200, 400, 800)))
    assert fit == pytest.approx([0.5, 0.75, 0.75, 0.9])
    assert crossing(rows([0.5, 0.9, 0.6, 0.9], dims=(100, 200, 400, 800)), 0.8) == pytest.approx(400 * 2 ** (0.05 / 0.15))


def test_sizes_that_some_seeds_lack_tell_nothing_where_others_have_all():
    """Seed 0 is worse than the others, and alone at 222 and 333."""
    table = rows([0.68, 0.78, 0.88], [0.72, 0.82, 0.92])
    alone = rows([0.60, 0.70], dims=(222, 333))
    assert crossing(pd.concat([table, alone]), 0.85) == crossing(table, 0.85)
    assert len(balanced(rows([0.6], dims=(100,)))) == 1


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
    assert interval(asked(rows([0.7, 0.8, 0.9]), 0.85)) == (0.0, inf)


def test_a_seed_that_does_not_cross_leaves_it_open():
    assert interval(asked(rows([0.7, 0.8, 0.9], [0.7, 0.8, 0.84]), 0.85)) == (0.0, inf)


def test_it_is_the_t_interval_of_the_seeds_own_crossings_in_log_d():
    """Crossings at 200, 200 sqrt 2 and 200 / sqrt 2: t of two degrees of freedom is 4.3027."""
    table = asked(rows([0.70, 0.80, 0.90], [0.65, 0.75, 0.85], [0.75, 0.85, 0.95]), 0.80)
    half = 4.302653 * np.log(2) / 2 / 3**0.5
    assert interval(table) == (pytest.approx(200 * np.exp(-half)), pytest.approx(200 * np.exp(half)))


def test_each_seed_has_a_threshold_of_its_own():
    table = rows([0.70, 0.80, 0.90], [0.65, 0.75, 0.85])
    table["threshold"] = table["seed"].map({0: 0.80, 1: 0.75})
    assert interval(table) == (pytest.approx(200), pytest.approx(200))


@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_cover_as_often_as_they_say(seeds):
    """Accuracies that differ by seed: 95 % of 400 intervals, within three standard errors."""
    stream, hits, dims = np.random.default_rng(1), 0, (50, 70, 100, 150, 200, 300, 400, 600, 800)
    for _ in range(400):
        table = rows(*([0.75 + 0.15 * np.log2(d / 200) + s for d in dims] for s in stream.normal(0, 0.03, seeds)), dims=dims)
        low, high = interval(asked(table, 0.75))
        hits += low <= 200 <= high
    assert abs(hits / 400 - 0.95) < 3 * (0.95 * 0.05 / 400) ** 0.5
