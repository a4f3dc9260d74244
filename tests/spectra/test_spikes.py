"""Spikes: p-values by hand, false alarms within exact binomial bounds, planted spikes above and below the threshold."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

from rmtlottery.spectra.nulls import gram_spectrum, null_spectra
from rmtlottery.spectra.spikes import Spikes, centre_shift, spikes, spikes_by_null, spikes_by_tracy_widom, tracy_widom_holds
from rmtlottery.spectra.tracy_widom import TracyWidom, johnstone
from tests.conftest import assert_mean

SURE = 0.999
SHAPE = (64, 192)


def random_layer(rng, shape, density, law="gaussian"):
    """Independent entries: Gaussian or bimodal ones kept with a chance of `density`."""
    kept = rng.random(shape) < density
    values = rng.standard_normal(shape)
    if law == "bimodal":
        values = 0.3 * values + rng.choice([-1.0, 1.0], shape)
    return np.where(kept, values, 0.0)


@cache
def layers(shape, density, law, count):
    rng = np.random.default_rng(6)
    return [random_layer(rng, shape, density, law) for _ in range(count)]


def alarms(results):
    return sum(found.count > 0 for found in results)


def five():
    """Eigenvalues with a largest share of .5, and redraws with .3, .4, .6 and .35."""
    shares = np.array([0.3, 0.4, 0.6, 0.35])
    redraws = np.concatenate([np.repeat((1 - shares[:, None]) / 4, 4, axis=1), shares[:, None]], axis=1)
    return np.array([0.05, 0.0, 0.0, 0.45, 0.5]), redraws


def test_the_p_value_is_the_rank_among_layer_and_redraws():
    values, redraws = five()
    found = spikes_by_null(7 * values, redraws * np.array([[1.0], [20], [3], [4]]), level=0.4)
    assert found.p_value == 2 / 5
    assert_allclose(found.edge, 7 * 0.4)
    assert (found.count, found.test) == (2, "redraws")


@pytest.mark.parametrize(("level", "edge", "count"), [(0.2, 0.6, 0), (0.39, 0.6, 0), (0.4, 0.4, 2), (0.6, 0.35, 2)])
def test_the_edge_is_passed_just_where_the_p_value_is_within_the_level(level, edge, count):
    found = spikes_by_null(*five(), level)
    assert_allclose(found.edge, edge)
    assert found.count == count
    assert (found.count > 0) == (found.p_value <= level)


def test_a_hundredth_takes_all_of_99_redraws_and_the_next_of_199():
    redraws = np.stack([np.linspace(0.4, 0.5, 199), 1 - np.linspace(0.4, 0.5, 199)], axis=1)
    assert_allclose(spikes_by_null([0.2, 0.8], redraws[100:], 0.01).edge, redraws[100:].max(), rtol=1e-9)
    assert_allclose(spikes_by_null([0.2, 0.8], redraws, 0.01).edge, redraws[1, 1], rtol=1e-9)


def test_a_layer_whose_redraws_equal_it_has_no_spike():
    """Where places form no cycle, signs of rows and columns undo every flip: redraws differ by rounding alone."""
    weight = np.eye(40, 41) * 2 + np.eye(40, 41, 1)
    weight = weight * np.random.default_rng(7).random((40, 41))
    found = spikes(weight, weight != 0)
    assert (found.p_value, found.count, found.test) == (1.0, 0, "redraws")
    values = np.array([0.2, 0.3, 0.7])
    assert spikes_by_null(values, [[0.2, 0.3, 0.7 * (1 - 1e-14)]] * 9, 0.1) == Spikes(0, 1.0, pytest.approx(0.7), "redraws")


@pytest.mark.parametrize("kind", ["gaussian", "signs"])
def test_the_null_alarms_as_often_as_its_level_on_sparse_random_layers(kind):
    rng, drawn = np.random.default_rng(8), layers((16, 40), 0.1, "gaussian", 800)
    fired = alarms(spikes_by_null(gram_spectrum(one), null_spectra(one, one != 0, kind, 19, rng), 0.1) for one in drawn)
    assert binom.ppf(1 - SURE, len(drawn), 0.1) <= fired <= binom.ppf(SURE, len(drawn), 0.1)


@pytest.mark.parametrize(("density", "law"), [(1.0, "gaussian"), (0.45, "bimodal")])
def test_tracy_widom_alarms_no_more_than_its_level_where_it_holds(density, law):
    drawn = [one for one in layers(SHAPE, density, law, 500) if tracy_widom_holds(one)]
    assert len(drawn) > 450
    assert alarms(spikes_by_tracy_widom(gram_spectrum(one), SHAPE) for one in drawn) <= binom.ppf(SURE, len(drawn), 0.01)


def test_tracy_widom_alarms_too_often_where_it_does_not_hold():
    drawn = layers(SHAPE, 0.2, "gaussian", 100)
    assert not any(map(tracy_widom_holds, drawn))
    assert alarms(spikes_by_tracy_widom(gram_spectrum(one), SHAPE) for one in drawn) > binom.ppf(SURE, len(drawn), 0.01)


def test_dense_layers_follow_tracy_widom():
    """The sum, held fixed here, takes its own fluctuation from the law's: 3 % of the standard deviation at this size."""
    assert_mean(placed(1.0), TracyWidom(1).mean(), rejects=TracyWidom(1).mean() + 0.5, bias=0.15)


def placed(density, count=500):
    """Largest eigenvalues in Johnstone's scaling."""
    centre, scale = johnstone(*SHAPE)
    drawn = layers(SHAPE, density, "gaussian", count)
    return np.array([(gram_spectrum(one)[-1] / np.mean(one**2) - centre) / scale for one in drawn])


@pytest.mark.parametrize("density", [0.5, 0.3])
def test_the_fourth_cumulant_moves_the_largest_eigenvalue_so_far(density):
    centre, scale = johnstone(*SHAPE)
    shift = (3 / density - 3) / np.sqrt(64 * 192) * centre / scale
    assert_allclose(
        np.mean(
            [centre_shift(SHAPE, np.mean(one**4) / np.mean(one**2) ** 2) for one in layers(SHAPE, density, "gaussian", 500)]
        ),
        shift,
        rtol=0.03,
    )
    moved = placed(density) - np.mean(placed(1.0))
    assert_mean(moved, shift, rejects=0.5 * shift, bias=0.1 * shift)
    assert_mean(moved, shift, rejects=2 * shift, bias=0.1 * shift)


@pytest.mark.parametrize("shape", [(40, 90), (90, 40)])
def test_p_value_and_edge_agree_with_the_tables_of_f1(shape):
    """F1(2.0234) = .99 [Bejan 2005]."""
    centre, scale = (np.sqrt(89) + np.sqrt(40)) ** 2, (np.sqrt(89) + np.sqrt(40)) * (89**-0.5 + 40**-0.5) ** (1 / 3)
    largest = centre + 2.0234 * scale
    values = 5.0 * np.append(np.full(39, (3600 - largest) / 39), largest)
    found = spikes_by_tracy_widom(values, shape)
    assert_allclose(found.p_value, 0.01, atol=1e-5)
    assert_allclose(found.edge, 5 * largest, rtol=1e-5)
    assert [spikes_by_tracy_widom(values, shape, level).count for level in (0.0099, 0.0101)] == [0, 1]


@pytest.mark.parametrize("axis", [0, 1])
def test_tracy_widom_is_not_asked_where_rows_or_columns_are_unequal(axis):
    rng = np.random.default_rng(9)
    weight = rng.choice([-1.0, 1.0], SHAPE) * (rng.random(SHAPE) < 0.5)
    assert tracy_widom_holds(weight)
    parts = np.array_split(np.arange(SHAPE[axis]), 2)
    for part, density in zip(parts, (0.45, 0.55), strict=True):
        shape = (len(part), SHAPE[1]) if axis == 0 else (SHAPE[0], len(part))
        weight[part if axis == 0 else (slice(None), part)] = rng.choice([-1.0, 1.0], shape) * (rng.random(shape) < density)
    assert not tracy_widom_holds(weight)


def test_tracy_widom_is_not_asked_of_few_rows_or_heavy_entries():
    rng = np.random.default_rng(10)
    assert tracy_widom_holds(rng.standard_normal((32, 400)))
    assert not tracy_widom_holds(rng.standard_normal((31, 400)))
    assert not tracy_widom_holds(rng.standard_normal((400, 31)))
    assert not tracy_widom_holds(rng.standard_t(4, (64, 192)))
    assert tracy_widom_holds(rng.choice([-0.1, 0.1], (40, 51)))


def planted(rng, density, strengths):
    """Entries of variance 1/n in the mean, plus rank-one matrices; the threshold is strength (m/n)^(1/4) [Baik 2005]."""
    (m, n), k = SHAPE, len(strengths)
    left, right = (np.linalg.qr(rng.standard_normal((side, k)))[0] for side in (m, n))
    kept = rng.random(SHAPE) < density
    weight = rng.standard_normal(SHAPE) / np.sqrt(n * density) + (left * strengths) @ right.T / density
    return np.where(kept, weight, 0.0), kept


def strength(eigenvalue):
    """theta with (1 + theta^2)(m/n + theta^2)/theta^2 = eigenvalue, the larger root [Benaych-Georges 2012]."""
    ratio = SHAPE[0] / SHAPE[1]
    half = (eigenvalue - 1 - ratio) / 2
    return np.sqrt(half + np.sqrt(half**2 - ratio))


@pytest.mark.parametrize(("density", "test"), [(1.0, "tracy-widom"), (0.15, "redraws")])
def test_a_spike_at_twice_the_edge_is_found(density, test):
    rng, edge = np.random.default_rng(11), (1 + np.sqrt(SHAPE[0] / SHAPE[1])) ** 2
    for _ in range(4):
        found = spikes(*planted(rng, density, [strength(2 * edge)]), numbers=rng)
        assert (found.count, found.test) == (1, test)
        assert found.p_value <= 0.01


def test_two_spikes_are_two_by_either_test():
    rng, edge = np.random.default_rng(11), (1 + np.sqrt(SHAPE[0] / SHAPE[1])) ** 2
    weight, kept = planted(rng, 1.0, [strength(2 * edge), strength(3 * edge)])
    values = gram_spectrum(weight)
    assert spikes_by_null(values, null_spectra(weight, kept, "gaussian", 99, rng)).count == 2
    assert spikes_by_tracy_widom(values, SHAPE).count == 2


@pytest.mark.parametrize(("density", "count", "level"), [(1.0, 500, 0.01), (0.15, 100, 0.05)])
def test_a_spike_at_half_the_threshold_is_not_claimed(density, count, level):
    rng, theta = np.random.default_rng(12), np.sqrt(0.5) * (SHAPE[0] / SHAPE[1]) ** 0.25
    fired = alarms(spikes(*planted(rng, density, [theta]), redraws=19, numbers=rng, level=level) for _ in range(count))
    assert fired <= binom.ppf(SURE, count, level)


def test_what_lies_outside_the_mask_is_no_part_of_the_layer():
    rng = np.random.default_rng(13)
    weight, kept = planted(rng, 0.15, [3.0])
    assert spikes(np.where(kept, weight, 100.0), kept) == spikes(weight, kept)
    assert spikes(weight, kept).count == 1


def test_what_makes_no_test_is_refused():
    values, redraws = five()
    with pytest.raises(ValueError, match=r"4 redraws cannot reach level 0\.01: make at least 99"):
        spikes_by_null(values, redraws)
    with pytest.raises(ValueError, match=r"level = 1\.5 is not between 0 and 1"):
        spikes_by_null(values, redraws, 1.5)
    with pytest.raises(ValueError, match=r"redraws \(4, 5\) do not go with 4 eigenvalues"):
        spikes_by_null(values[1:], redraws, 0.4)
    with pytest.raises(ValueError, match="1 redraws have no eigenvalue above 0"):
        spikes_by_null(values, redraws * np.array([[1.0], [0], [1], [1]]), 0.4)
    with pytest.raises(ValueError, match=r"an eigenvalue = -1\.0 is not finite and at least 0"):
        spikes_by_null(-1 * np.ones(5), redraws, 0.4)
    with pytest.raises(ValueError, match="are no spectrum"):
        spikes_by_null(np.zeros(5), redraws, 0.4)
    with pytest.raises(ValueError, match=r"5 eigenvalues are not the 3 of the short side of \(3, 5\)"):
        spikes_by_tracy_widom(values, (3, 5))
