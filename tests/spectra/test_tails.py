"""Heavy tails: read where one is planted, never on random masked layers, and each condition by itself withholds it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

from rmtlottery.spectra.nulls import gram_spectrum, null_spectra
from rmtlottery.spectra.power_law import alphas, fit_power_law
from rmtlottery.spectra.tails import read_tail
from tests.conftest import assert_mean

SHAPE = (128, 640)
PLANTED = 9


def read(weight, kept, kind, numbers, redraws=29):
    held = np.where(kept, weight, 0.0)
    return read_tail(gram_spectrum(held), null_spectra(weight, kept, kind, redraws, numbers))


def pareto_layer(rng, exponent=2.5):
    """U diag(s) V with s^2 of density exponent `exponent`, from 1 on."""
    left, right = (np.linalg.qr(rng.standard_normal((side, SHAPE[0])))[0] for side in SHAPE)
    return (left * np.sqrt(1 + rng.pareto(exponent - 1, SHAPE[0]))) @ right.T


@pytest.mark.parametrize(
    ("draw", "kind"),
    [(pareto_layer, "permuted"), (pareto_layer, "signs"), (lambda rng: rng.standard_t(2, SHAPE), "gaussian")],
    ids=["pareto-permuted", "pareto-signs", "student-gaussian"],
)
def test_a_planted_tail_is_read_as_often_as_its_p_value_lets_it(draw, kind):
    rng, whole = np.random.default_rng(14), np.ones(SHAPE, bool)
    heavy = sum(read(draw(rng), whole, kind, rng).heavy for _ in range(PLANTED))
    assert heavy >= binom.ppf(0.01, PLANTED, 0.8)


def test_its_exponent_is_that_of_the_eigenvalues():
    rng = np.random.default_rng(15)
    found = [read(pareto_layer(rng), np.ones(SHAPE, bool), "permuted", rng, 1).alpha for _ in range(30)]
    assert_mean(found, 2.5, rejects=3.0, bias=0.1)


@pytest.mark.parametrize("shape", [(96, 160), (160, 96)])
@pytest.mark.parametrize("density", [1.0, 0.2, 0.05, 0.02])
def test_none_is_read_in_a_random_masked_layer(shape, density):
    rng = np.random.default_rng(16)
    for _ in range(5):
        found = read(rng.standard_normal(shape), rng.random(shape) < density, "gaussian", rng, 19)
        assert not found.heavy
        assert found.beyond < 3


@pytest.mark.slow
@pytest.mark.parametrize("density", [1.0, 0.1, 0.01, 0.004])
@pytest.mark.parametrize("shape", [(256, 256), (256, 3072)])
def test_none_is_read_in_a_wide_or_sparse_random_layer(shape, density):
    rng = np.random.default_rng(17)
    assert not any(read(rng.standard_normal(shape), rng.random(shape) < density, "signs", rng, 19).heavy for _ in range(20))


def power_law(exponent, count=60):
    """Quantiles of density exponent `exponent`, from 1 on."""
    return ((np.arange(count) + 0.5) / count) ** (-1 / (exponent - 1))


def light(seed=18, redraws=39):
    """Redraws without a tail, of largest shares of about 1/30."""
    return 1 + np.random.default_rng(seed).random((redraws, 60))


def test_what_is_read_of_a_tail():
    values, null = power_law(2.5), light()
    found, fit = read_tail(3 * values, null), fit_power_law(3 * values)
    shares, bar = values / values.sum(), np.max(null.max(axis=1) / null.sum(axis=1))
    assert (found.alpha, found.p_value, found.xmin) == (fit.alpha, fit.p_value, fit.xmin)
    assert_allclose((found.null_low, found.null_alpha, found.null_high), np.quantile(alphas(null), [0.01, 0.5, 0.99]))
    assert found.beyond == np.sum(shares > bar) > 3
    assert found.heavy


def test_a_tail_that_is_no_power_law_is_not_heavy():
    values = np.concatenate([np.full(40, 1.0) + 1e-3 * np.arange(40), 6.0 + np.array([0, 0.1, 0.2, 5, 5.1, 5.2, 5.3])])
    found = read_tail(np.concatenate([values, np.full(13, 1e-3)]), light())
    assert (found.p_value < 0.1, found.beyond >= 3, found.heavy) == (True, True, False)
    assert found.alpha < found.null_low


def test_an_alpha_within_those_of_redraws_is_not_heavy():
    null = np.vstack([light(), np.minimum(power_law(2.2), 6.0)])
    null[-1, :12] = np.linspace(3.0, 3.3, 12)
    null[-1, 12:] = power_law(1.5, 48)[::-1].clip(1e-9, 3.0)
    low = alphas(null).min()
    found = read_tail(power_law(low + 0.2), null)
    assert found.alpha > low
    assert (found.p_value >= 0.1, found.beyond >= 3, found.heavy) == (True, True, False)


@pytest.mark.parametrize(("beyond", "heavy"), [(2, False), (3, True)])
def test_fewer_than_three_eigenvalues_beyond_are_not_heavy(beyond, heavy):
    values, null = power_law(2.5), light()
    between = np.sqrt(values[beyond - 1] * values[beyond]) / values.sum()
    null[0, 0] = null[0, 1:].sum() * between / (1 - between)
    found = read_tail(values, null)
    assert (found.beyond, found.p_value >= 0.1, found.alpha < alphas(null).min(), found.heavy) == (beyond, True, True, heavy)


def test_a_fit_to_the_largest_alone_does_not_speak_for_others_beyond():
    plateau = np.linspace(3.0, 3.1, 12)
    values = np.concatenate([np.linspace(0.1, 0.2, 40), plateau, 9 * power_law(4.0, 8)])
    found = read_tail(values, 50 + light())
    assert (found.p_value >= 0.1, found.beyond, found.xmin >= 9, found.heavy) == (True, 20, True, False)
    assert found.alpha < alphas(50 + light()).min()


def test_what_is_no_spectrum_is_refused():
    with pytest.raises(ValueError, match=r"redraws \(39, 60\) do not go with 59 eigenvalues"):
        read_tail(power_law(2.5)[1:], light())
    with pytest.raises(ValueError, match="different positive values are too few for a power law"):
        read_tail(np.ones(60), light())
