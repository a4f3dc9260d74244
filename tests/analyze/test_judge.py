"""Tests against scipy's and by simulation, intervals at their two ends against known ones, a correction by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rmtlottery.analyze._judge import corrected, judged
from rmtlottery.analyze._style import interval
from tests.conftest import assert_mean


def rows(cell, net, redraws):
    """One seed."""
    return {
        "cell": cell,
        "off": net,
        "chance": np.mean(redraws),
        "scatter": np.std(redraws, ddof=1),
        "redraws": len(redraws),
    }


def drawn(numbers, cells=4000, sizes=(3, 4), between=0.0, mean=0.3):
    """Cells of as many seeds as there are sizes, each net a draw of what its redraws are, if `between` is 0."""
    found = []
    for cell in range(cells):
        for size in sizes:
            shift = mean + between * numbers.standard_normal()
            found.append(rows(cell, shift + 0.1 * numbers.standard_normal(), mean + 0.1 * numbers.standard_normal(size)))
    return pd.DataFrame(found)


def test_one_seed_is_a_t_test_of_one_against_its_redraws():
    redraws = np.array([0.1, 0.25, -0.05, 0.2, 0.3])
    found = judged(pd.DataFrame([rows(0, 0.62, redraws)]), ["cell"]).iloc[0]
    known = stats.ttest_ind([0.62], redraws)
    assert found["p"] == pytest.approx(known.pvalue)
    assert (found["ratio"], found["chance_ratio"], found["seeds"]) == pytest.approx((np.exp(0.62), np.exp(0.16), 1))
    reach = stats.t(4).isf(0.025) * redraws.std(ddof=1)
    assert (np.log(found["low"]), np.log(found["high"])) == pytest.approx((0.62 - reach, 0.62 + reach))


def test_seeds_are_blocks_whose_differences_are_averaged():
    """By hand: differences .5 and .1, s^2 = (2 x .01 + 3 x .04)/5, variance s^2 (4/3 + 5/4)/4, 5 degrees of freedom."""
    given = pd.DataFrame(
        [
            {"cell": 0, "off": 0.6, "chance": 0.1, "scatter": 0.1, "redraws": 3},
            {"cell": 0, "off": 0.3, "chance": 0.2, "scatter": 0.2, "redraws": 4},
        ]
    )
    found = judged(given, ["cell"]).iloc[0]
    error = np.sqrt(0.14 / 5 * (4 / 3 + 5 / 4) / 4)
    assert found["p"] == pytest.approx(2 * stats.t(5).sf(0.3 / error))
    assert found["ratio"] == pytest.approx(np.exp(0.45))


def test_a_draw_of_the_ensemble_is_refused_as_often_as_it_should():
    """Without the 1/R of the redraws' own mean 8.3 % would be."""
    p = judged(drawn(np.random.default_rng(0)), ["cell"])["p"]
    assert_mean(p < 0.05, 0.05, rejects=0.075)
    assert_mean(p, 0.5, rejects=0.47)


def test_a_net_that_strays_is_refused_and_one_that_hardly_does_is_not():
    base = drawn(np.random.default_rng(1), cells=300, sizes=(4, 4, 4))
    far, near = (judged(base.assign(off=base["off"] + shift), ["cell"])["p"] for shift in (0.5, 0.01))
    assert (far < 0.05).mean() > 0.98
    assert (near < 0.05).mean() < 0.1


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("between", [0.0, 0.1, 1.0])
def test_intervals_hold_the_mean_of_such_seeds(seeds, between):
    """The larger of two variances is taken: where seeds scatter as chance does, more often than 95 %."""
    found = judged(drawn(np.random.default_rng(2), cells=2000, sizes=(4,) * seeds, between=between), ["cell"])
    held = (np.log(found["low"]) < 0.3) & (np.log(found["high"]) > 0.3)
    assert 0.925 < held.mean() < 0.99


def test_seeds_that_scatter_far_beyond_chance_have_the_interval_of_their_own():
    given = pd.DataFrame([rows(0, off, 1e-6 * np.arange(5)) for off in (0.1, 0.5, 0.4)])
    found = judged(given, ["cell"]).iloc[0]
    assert (np.log(found["low"]), np.log(found["high"])) == pytest.approx(interval(given["off"]), rel=1e-4)


def test_seeds_that_agree_have_the_interval_of_chance():
    given = pd.DataFrame([rows(0, off, np.array([-0.1, 0.1, 0.0])) for off in (0.2, 0.2, 0.2001)])
    found = judged(given, ["cell"]).iloc[0]
    assert np.log(found["high"] / found["ratio"]) == pytest.approx(stats.t(6).isf(0.025) * 0.1 / np.sqrt(3), rel=1e-4)


def test_the_correction_is_that_of_benjamini_and_yekutieli():
    """Of three: p x 3 / rank x (1 + 1/2 + 1/3), none larger than that of a larger p."""
    p = pd.Series([0.04, 0.001, 0.021], index=[7, 3, 5])
    found = corrected(p)
    assert found.to_dict() == pytest.approx({7: 0.04 * 11 / 6, 3: 0.001 * 3 * 11 / 6, 5: 0.021 * 1.5 * 11 / 6})
    assert corrected(pd.Series([0.04, 0.03])).to_list() == pytest.approx([0.06, 0.06])
