"""Power-law fits: all pairs, scipy's distance, exact Pareto samples, the law of the p-value, scales, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from rmtlottery.spectra import power_law
from rmtlottery.spectra.power_law import LEAST, alphas, fit_power_law
from tests.conftest import assert_mean


def pareto(alpha, size, seed=0, xmin=1.0):
    return xmin * (1 - np.random.default_rng(seed).random(size)) ** (-1 / (alpha - 1))


def drawn(kind, size, seed):
    rng = np.random.default_rng(seed)
    return {
        "pareto": lambda: pareto(2.5, size, seed),
        "heavy": lambda: np.abs(rng.standard_cauchy(size)),
        "wishart": lambda: np.linalg.svd(rng.standard_normal((size, 2 * size)), compute_uv=False) ** 2,
        "tied": lambda: np.ceil(8 * rng.exponential(size=size)),
        "few": lambda: rng.integers(1, 8, size).astype(float),
    }[kind]()


def by_all_pairs(values):
    """Every value that may be xmin, its tail handed to scipy: (ks, xmin, alpha) of the smallest distance."""
    found = []
    for xmin in np.unique(values)[:-1]:
        tail = values[values >= xmin]
        if tail.size >= LEAST:
            slope = 1 / np.mean(np.log(tail / xmin))
            found.append((stats.ks_1samp(tail, stats.pareto(slope, scale=xmin).cdf).statistic, xmin, 1 + slope))
    return min(found)


@pytest.mark.parametrize("kind", ["pareto", "heavy", "wishart", "tied", "few"])
@pytest.mark.parametrize(("size", "seed"), [(9, 1), (40, 2), (41, 3), (130, 4)])
def test_smallest_distance_of_all(kind, size, seed):
    values = drawn(kind, size, seed)
    fit, (ks, xmin, alpha) = fit_power_law(values, bootstraps=0), by_all_pairs(values)
    assert fit.xmin == xmin
    assert fit.tail == np.sum(values >= xmin)
    assert_allclose([fit.ks, fit.alpha, fit.error], [ks, alpha, (alpha - 1) / fit.tail**0.5], rtol=1e-10)


@pytest.mark.parametrize("kind", ["pareto", "heavy", "tied"])
def test_cutting_planes_are_exact(kind):
    """The same arithmetic for all n^2 pairs at once: equal to the last bit."""
    logs = np.log(np.sort(drawn(kind, 1500, 7)))[None]
    held, slope = power_law.tail_slopes(logs)
    place = np.arange(logs.size)
    ks = power_law.gaps(held, slope, np.array([[0]]), place[:, None], place).max(axis=1)
    ks[slope[0] == 0] = np.inf
    fit = power_law.nearest_tails(logs)
    assert (fit.first[0], fit.ks[0]) == (ks.argmin(), ks.min())


@pytest.mark.parametrize("alpha", [1.6, 2.5, 3.5, 6.0])
def test_alpha_is_found_and_not_capped(alpha):
    """A widespread package ends at 3: of 3.5 it finds 2.996."""
    fits = [fit_power_law(pareto(alpha, 2000, seed), bootstraps=0) for seed in range(40)]
    assert_mean([fit.alpha for fit in fits], alpha, rejects=1 + 1.05 * (alpha - 1), bias=0.01 * (alpha - 1))


def test_error_is_the_spread_of_alpha():
    """With xmin given: tails that start at their least value are whole samples."""
    rows = np.sort([pareto(3.0, 400, seed) for seed in range(400)], axis=1)
    slopes = power_law.tail_slopes(np.log(rows))[1][:, 0]
    assert_mean((slopes - 2) ** 2, 4 / 400, rejects=2 * 4 / 400, bias=0.0003)


def test_xmin_cuts_a_body_off():
    rng = np.random.default_rng(5)
    values = np.concatenate([3 * rng.random(600), pareto(2.7, 400, 1, xmin=3.0)])
    fit = fit_power_law(values, bootstraps=50)
    assert_allclose([fit.alpha, fit.xmin, fit.tail], [2.7, 3.0, 400], rtol=0.12)
    assert fit.p_value > 0.1
    assert fit_power_law(np.concatenate([np.zeros(70), rng.permutation(values)]), bootstraps=50) == fit


def test_p_value_is_uniform_under_the_law():
    """Mean 1/2 over samples of the law, and none for the numbers 1 to 7."""
    found = [fit_power_law(pareto(2.5, 60, seed), bootstraps=40, seed=seed).p_value for seed in range(300)]
    assert_mean(found, 0.5, rejects=0.4, bias=0.02)
    assert fit_power_law(drawn("few", 3000, 0), bootstraps=50).p_value == 0


def test_bootstrap_keeps_the_body_and_draws_the_tail():
    logs = np.log(np.sort(np.concatenate([np.full(100, 0.3), np.full(200, 0.5), pareto(3.0, 100, 2)])))
    seen = []
    original = power_law.nearest_tails
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(power_law, "nearest_tails", lambda rows: seen.append(rows) or original(rows))
        power_law.bootstrap(logs, 300, 2.0, 200, 0)
    assert seen[0].shape == (200, 400)
    body = seen[0] < 0
    assert_mean(body.mean(axis=1), 0.75, rejects=0.74)
    assert_mean(np.mean(seen[0] == np.log(0.3), axis=1), 0.25, rejects=0.26)
    assert_mean(seen[0][~body] - logs[300], 0.5, rejects=0.525)


def test_seed_decides():
    values = drawn("heavy", 80, 3)
    one, same, other = (fit_power_law(values, seed=seed).p_value for seed in (1, 1, 2))
    assert one == same != other
    assert np.isnan(fit_power_law(values, bootstraps=0).p_value)


def test_scale_moves_xmin_alone():
    values = drawn("heavy", 200, 9)
    fit, scaled = fit_power_law(values, bootstraps=20), fit_power_law(values * 1e-30, bootstraps=20)
    assert_allclose([*scaled[:1], *scaled[2:]], [*fit[:1], *fit[2:]], rtol=1e-9)
    assert_allclose(scaled.xmin, fit.xmin * 1e-30, rtol=1e-15)


def test_almost_equal_values_keep_their_digits():
    values = 7.0 * (1 + 1e-11 * pareto(3.0, 50, 1))
    assert_allclose(fit_power_law(values, bootstraps=0).alpha, by_all_pairs(values)[2], rtol=1e-3)


def test_alphas_of_rows_with_different_zeros():
    rows = np.stack([np.concatenate([np.zeros(zeros), pareto(2.5, 90 - zeros, zeros)]) for zeros in (0, 7, 80)])
    assert_allclose(alphas(rows), [fit_power_law(row, bootstraps=0).alpha for row in rows], rtol=1e-12)
    assert alphas(np.empty((0, 90))).shape == (0,)


def test_blocks_do_not_matter(monkeypatch):
    rows = np.stack([drawn("wishart", 30, seed) for seed in range(7)])
    together = alphas(rows)
    monkeypatch.setattr(power_law, "BLOCK", 60)
    assert_allclose(alphas(rows), together, rtol=0)


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5, -1e-9], [1, 2, 3, 4, 5, np.nan], [1, 2, 3, 4, 5, np.inf]])
def test_refuses_what_has_no_logarithm(values):
    with pytest.raises(ValueError, match="hold a negative, infinite or NaN one: give eigenvalues"):
        fit_power_law(values)


@pytest.mark.parametrize(("values", "count"), [([0, 0, 1, 2, 3, 4, 4, 4], 4), ([2] * 6, 1), ([], 0), ([0] * 9, 0)])
def test_refuses_too_few(values, count):
    with pytest.raises(ValueError, match=f"^{count} different positive values are too few for a power law: it takes 5"):
        fit_power_law(values)


def test_refuses_a_row_that_is_too_short_and_half_a_bootstrap():
    with pytest.raises(ValueError, match="2 different positive values"):
        alphas([[1, 2, 3, 4, 5], [1, 1, 0, 0, 2]])
    with pytest.raises(ValueError, match=r"bootstraps = -1 is not at least 0"):
        fit_power_law([1, 2, 3, 4, 5], bootstraps=-1)
