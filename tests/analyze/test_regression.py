"""Slopes and worth against statsmodels, intervals against closed forms and against how often they hold."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binom, t
from statsmodels.stats.outliers_influence import variance_inflation_factor

from rmtlottery.analyze._regression import effects, explained, foretold, inflation, spread_within, within

LEVELS = 3


def made(numbers, clusters, slopes, *, own=0.5):
    """Rows of clusters at three levels; predictors and residuals lie mostly between clusters, levels 4 apart."""
    group, cluster = np.tile(np.arange(LEVELS), clusters), np.repeat(np.arange(clusters), LEVELS)
    draw = lambda width: numbers.standard_normal((clusters, width))[cluster]  # noqa: E731
    x = 0.8 * draw(len(slopes)) + 0.6 * numbers.standard_normal((len(group), len(slopes)))
    noise = own**0.5 * draw(1)[:, 0] + (1 - own) ** 0.5 * numbers.standard_normal(len(group))
    return x, x @ slopes - 4 * group + noise, group, cluster


def uneven():
    """With some rows gone, so that neither levels nor clusters are of one size."""
    x, y, group, cluster = made(np.random.default_rng(3), 7, np.array([1.0, -2.0]))
    kept = np.delete(np.arange(len(y)), [0, 4, 5, 19])
    return x[kept], y[kept], group[kept], cluster[kept]


def dummies(x, group):
    return np.column_stack([x, group[:, None] == np.unique(group)]).astype(float)


def test_slopes_are_those_of_dummies_for_the_groups():
    x, y, group, cluster = uneven()
    found = [one.slope for one in effects(x, y, group, cluster)]
    assert found == pytest.approx(sm.OLS(y, dummies(x, group)).fit().params[:2])


def test_clusters_of_one_row_have_the_errors_of_hc2():
    x, y, group, _ = uneven()
    fitted = sm.OLS(y, dummies(x, group)).fit(cov_type="HC2")
    for place, one in enumerate(effects(x, y, group, np.arange(len(y)))):
        reach = t.ppf(0.975, one.freedom) * fitted.bse[place]
        assert (one.low, one.high) == pytest.approx((one.slope - reach, one.slope + reach))


def test_two_samples_have_the_degrees_of_freedom_of_bell_and_mccaffrey():
    """Of unequal sizes: Imbens and Kolesar 2016 have them in closed form, and errors are Welch's."""
    first, second = np.random.default_rng(0).standard_normal(4), 3 * np.random.default_rng(1).standard_normal(9)
    x, y = np.repeat([0.0, 1.0], [4, 9]), np.concatenate([first, second])
    (found,) = effects(x[:, None], y, np.zeros(13), np.arange(13))
    freedom = 13**2 * 3 * 8 / (4**2 * 3 + 9**2 * 8)
    error = np.sqrt(first.var(ddof=1) / 4 + second.var(ddof=1) / 9)
    assert found.slope == pytest.approx(second.mean() - first.mean())
    assert found.freedom == pytest.approx(freedom)
    assert found.high - found.slope == pytest.approx(t.ppf(0.975, freedom) * error)


def test_equal_clusters_of_one_x_count_as_their_means():
    numbers = np.random.default_rng(5)
    x, y = numbers.standard_normal((6, 1)), numbers.standard_normal((6, 4))
    rows = effects(np.repeat(x, 4, axis=0), y.ravel(), np.zeros(24), np.repeat(np.arange(6), 4))
    assert rows[0] == pytest.approx(effects(x, y.mean(1), np.zeros(6), np.arange(6))[0])


def test_what_one_cluster_alone_has_is_not_told():
    _, y, group, cluster = made(np.random.default_rng(2), 5, np.array([1.0]))
    (found,) = effects((cluster == 3)[:, None].astype(float), y, group, cluster)
    assert (found.low, found.high, found.freedom) == (-np.inf, np.inf, 0.0)


def test_intervals_hold_as_often_as_they_say_where_the_usual_robust_ones_do_not():
    numbers, slopes, tries = np.random.default_rng(11), np.array([0.5, -1.0]), 250
    ours = usual = 0
    for _ in range(tries):
        x, y, group, cluster = made(numbers, 6, slopes)
        one = effects(x, y, group, cluster)[1]
        ours += one.low < slopes[1] < one.high
        low, high = sm.OLS(y, dummies(x, group)).fit(cov_type="cluster", cov_kwds={"groups": cluster}).conf_int()[1]
        usual += low < slopes[1] < high
    least, most = binom.ppf([0.001, 0.999], tries, 0.95)
    assert least <= ours <= most
    assert usual < least


def test_what_is_explained_is_the_partial_share():
    x, y, group, _ = uneven()
    whole, groups = sm.OLS(y, dummies(x, group)).fit(), sm.OLS(y, dummies(x[:, :0], group)).fit()
    assert explained(x, y, group) == pytest.approx(1 - whole.ssr / groups.ssr)


def test_rows_left_out_one_by_one_miss_by_their_leverage():
    """One group: e_i / (1 - h_ii) with predictors, n / (n - 1) times the deviation without."""
    x, y, _, _ = uneven()
    n = len(y)
    leverage = sm.OLS(y, sm.add_constant(x)).fit().get_influence()
    press, plain = np.sum(leverage.resid_press**2), np.sum((n / (n - 1) * (y - y.mean())) ** 2)
    assert foretold(x, y, np.zeros(n), np.arange(n)) == pytest.approx(1 - press / plain)


def test_a_cluster_is_foretold_by_the_others_alone():
    x, y, group, cluster = uneven()
    missed = {"with": 0.0, "without": 0.0}
    for name, some in (("with", x), ("without", x[:, :0])):
        design = dummies(some, group)
        for one in np.unique(cluster):
            out = cluster == one
            missed[name] += np.sum((y[out] - sm.OLS(y[~out], design[~out]).fit().predict(design[out])) ** 2)
    assert foretold(x, y, group, cluster) == pytest.approx(1 - missed["with"] / missed["without"])


def test_noise_foretells_nothing_and_a_line_everything():
    x, _, group, cluster = uneven()
    noises = np.random.default_rng(8).standard_normal((20, len(group)))
    assert np.mean([foretold(x, noise, group, cluster) for noise in noises]) < -0.1
    assert min(explained(x, noise, group) for noise in noises) > 0
    assert foretold(x, x @ [2.0, -1.0] + 5 * group, group, cluster) == pytest.approx(1)


def test_what_does_not_vary_is_not_explained():
    x, _, group, cluster = uneven()
    flat = 2.0 * group
    assert np.isnan(explained(x, np.zeros(len(group)), group))
    assert np.isnan(foretold(x, np.zeros(len(group)), group, cluster))
    assert [one.slope for one in effects(x, flat, group, cluster)] == pytest.approx([0, 0], abs=1e-12)


def test_inflation_is_that_of_the_dummy_regression():
    x, _, group, _ = uneven()
    x = np.column_stack([x, x[:, 0] + 0.1 * x[:, 1] ** 2])
    deviations = dummies(x, group)[:, :3] - sm.OLS(x, dummies(x[:, :0], group)).fit().fittedvalues
    told = [variance_inflation_factor(deviations, place) for place in range(3)]
    assert inflation(x, group) == pytest.approx(told)
    assert max(told) > 3


def test_deviations_and_their_spread_are_within_groups():
    values, group = np.array([1.0, 3.0, 10.0, 13.0, 13.0]), np.array([0, 0, 7, 7, 7])
    assert within(values, group) == pytest.approx([-1, 1, -2, 1, 1])
    assert within(values[:, None], group)[:, 0] == pytest.approx([-1, 1, -2, 1, 1])
    assert spread_within(values[:, None], group) == pytest.approx([np.sqrt(8 / 3)])
    assert spread_within(values[:1, None], group[:1]) == [0]
