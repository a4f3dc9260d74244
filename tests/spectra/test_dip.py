"""The dip: linear programs over all modes, closed forms, published quantiles, symmetries, bad input."""

from importlib import import_module

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from rmtlottery.spectra.dip import LARGEST, dip, dip_statistic, minorant, uniform_dips
from tests.conftest import assert_mean

module = import_module("rmtlottery.spectra.dip")  # its function has the same name


def by_programs(values):
    """The definition: for every mode the least d, over CDFs at the values and, at the mode, from either side."""
    places, counts = np.unique(values, return_counts=True)
    above = np.cumsum(counts) / len(values)
    return min(by_program(mode, places, above - counts / len(values), above) for mode in range(len(places)))


def by_program(mode, x, below, above):
    """Unknown are G(x_0).. G(x_mode -), G(x_mode), .. G(x_k), and d; a row r and a bound b say r . unknowns <= b."""
    x, unit = np.insert(x, mode, x[mode]), np.eye(len(x) + 2)
    below, above = np.insert(below, mode, below[mode]), np.insert(above, mode, above[mode])
    above[mode], below[mode + 1] = below[mode], above[mode + 1]
    d = unit[-1]
    rows = [(unit[j] - d, below[j]) for j in range(len(x))] + [(-unit[j] - d, -above[j]) for j in range(len(x))]
    rows.append((unit[mode] - unit[mode + 1], 0))
    for j in [*range(1, mode), *range(mode + 2, len(x) - 1)]:
        bend = (unit[j + 1] - unit[j]) / (x[j + 1] - x[j]) - (unit[j] - unit[j - 1]) / (x[j] - x[j - 1])
        rows.append((-bend if j < mode else bend, 0))
    matrix, bounds = map(np.array, zip(*rows, strict=True))
    return linprog(d, A_ub=matrix, b_ub=bounds, bounds=(0, 1)).fun


def drawn(kind, seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 13))
    return {
        "uniform": lambda: rng.random(size),
        "two clusters": lambda: rng.normal(np.arange(size) % 2 * 4, 0.7),
        "tied": lambda: rng.integers(0, 5, size).astype(float),
        "uneven ties": lambda: rng.integers(0, 9, size) ** 1.7,
    }[kind]()


@pytest.mark.parametrize("kind", ["uniform", "two clusters", "tied", "uneven ties"])
def test_definition(kind):
    for seed in range(20):
        values = drawn(kind, seed)
        assert_allclose(dip_statistic(values), by_programs(values), atol=1e-9, err_msg=str(np.sort(values)))


@pytest.mark.parametrize("seed", [40, 56, 114, 452, 728])
def test_definition_where_the_last_narrowing_counts(seed):
    """Samples whose last interval is wider than the distance found before by less than a tenth."""
    values = np.random.default_rng(seed).random(10)
    assert_allclose(dip_statistic(values), by_programs(values), atol=1e-9)


@pytest.mark.parametrize("size", [2, 3, 10, 77, 2000])
def test_equal_steps_have_the_least_dip(size):
    """1/(2n), here for n in any order; no sample without ties has less."""
    places = np.random.default_rng(0).permutation(size)
    assert_allclose(dip_statistic(places.astype(float)), 1 / (2 * size), rtol=1e-9)
    assert dip_statistic(places.astype(float) ** 3) >= (1 - 1e-9) / (2 * size)


@pytest.mark.parametrize(("left", "right"), [(50, 50), (30, 70), (1, 9)])
def test_two_values_dip_by_half_the_lesser_share(left, right):
    values = np.repeat([-1.0, 0.5], [left, right])
    assert_allclose(dip_statistic(values), min(left, right) / (2 * (left + right)), rtol=1e-12)


def test_two_far_clusters_dip_by_a_quarter():
    values = np.concatenate([np.linspace(0, 1, 4000), np.linspace(1e6, 1e6 + 1, 4000)])
    assert_allclose(dip_statistic(values), 0.25, rtol=1e-3)


def test_equal_values_have_one_mode():
    assert dip([3.0]) == dip([3.0, 3.0, 3.0]) == (0.0, 1.0)


def test_mirror_place_and_scale():
    values = np.random.default_rng(3).gamma(2.0, size=(11, 60))
    assert_allclose(dip_statistic(5 - 1e3 * values.ravel()), dip_statistic(values.ravel()), rtol=1e-9)


def test_long_samples_take_the_same_corners(monkeypatch):
    """Thinning drops no corner: the hull of a long sample is that of the loop alone."""
    rng = np.random.default_rng(1)
    samples = [rng.standard_normal(5000), rng.exponential(size=5000), np.round(rng.standard_normal(5000), 2)]
    thinned = [dip_statistic(sample) for sample in samples]
    monkeypatch.setattr(module, "SHORT", 10**9)
    assert thinned == [dip_statistic(sample) for sample in samples]


def test_minorant_is_convex_and_below():
    rng = np.random.default_rng(2)
    x, y = np.sort(rng.random(3000)), rng.standard_normal(3000).cumsum()
    corners = minorant(x, y)
    for tilt in (-3000, 3000):
        assert np.array_equal(minorant(x, y + tilt * x), corners)
    assert np.all(np.interp(x, x[corners], y[corners]) <= y + 1e-12)
    assert np.all(np.diff(np.diff(y[corners]) / np.diff(x[corners])) > 0)
    assert (corners[0], corners[-1]) == (0, 2999)
    assert minorant(x, np.exp(3 * x)).size == 3000


PUBLISHED = {10: (0.0977817630, 0.1396113951), 50: (0.0488511553, 0.0702737877), 1000: (0.0117439009, 0.0169343970)}
AT_72000 = (0.0014104971, 0.0020317840)


@pytest.mark.parametrize("size", [10, 50])
def test_published_quantiles(size):
    """Median and 95 % of uniform samples, of a million each: the table of R's diptest [Maechler]."""
    dips = np.array([dip_statistic(sample) for sample in np.random.default_rng(4).random((4000, size))])
    median, rare = PUBLISHED[size]
    assert_mean(dips > median, 0.5, rejects=0.56)
    assert_mean(dips > rare, 0.05, rejects=0.08)


@pytest.mark.parametrize("place", [0, 1])
def test_law_settles_with_the_root_of_the_size(place):
    """LARGEST stands for all larger samples: published quantiles of sqrt(n) dip move by 2 % from there to 72000."""
    here, far = PUBLISHED[LARGEST][place] * LARGEST**0.5, AT_72000[place] * 72000**0.5
    assert_allclose(here, far, rtol=0.02)
    assert_mean(uniform_dips(LARGEST, 0) > here, (0.5, 0.05)[place], rejects=(0.58, 0.09)[place])


def test_p_value_is_uniform_under_the_uniform_law():
    found = [dip(sample).p_value for sample in np.random.default_rng(6).random((600, 40))]
    assert_mean(found, 0.5, rejects=0.4, bias=0.01)
    assert_mean(np.less(found, 0.1), 0.1, rejects=0.2, bias=0.01)
    longer = [dip(sample).p_value for sample in np.random.default_rng(6).random((100, 4 * LARGEST))]
    assert_mean(longer, 0.5, rejects=0.8, bias=0.02)


@pytest.mark.parametrize("size", [300, 20_000])
def test_p_value_tells_two_modes_from_one(size):
    z = np.random.default_rng(7).standard_normal(size)
    assert dip(z).p_value > 0.9
    assert dip(z + 3 * np.sign(np.arange(size) - size / 3)).p_value == 1 / 2001


def test_seed_decides():
    values = np.random.default_rng(8).random(30)
    assert dip(values, seed=1) == dip(values, seed=1)
    assert dip(values, seed=1).p_value != dip(values, seed=2).p_value


@pytest.mark.parametrize(("values", "wrong"), [([], 0), ([1.0, np.nan, np.inf], 2)])
def test_refuses_what_is_no_number(values, wrong):
    with pytest.raises(ValueError, match=f"of {len(values)} values {wrong} are not finite: a dip needs one or more"):
        dip(values)
