"""Redraws inside a mask: what each kind keeps, what it makes independent; masks of given degrees are all as likely."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from rmtlottery.spectra.nulls import NULLS, null_spectra, redraw, rewired
from tests.conftest import assert_mean

SHAPES = [(12, 30), (30, 12)]


def shifted_layer(shape, density=0.3, seed=0):
    """Kept values of mean 1 and mean square 2; NaN where masked, so that nothing may look there."""
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < density
    return np.where(mask, rng.normal(1.0, 1.0, shape), np.nan), mask


def drawn(kind, weight, mask, redraws=400):
    rng = np.random.default_rng(1)
    return np.stack([redraw(weight, mask, kind, rng) for _ in range(redraws)])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["gaussian", "signs", "permuted"])
def test_a_redraw_lies_within_its_mask(kind, shape):
    weight, mask = shifted_layer(shape)
    for one in drawn(kind, weight, mask, 5):
        assert_array_equal(one != 0, mask)


def test_gaussian_has_the_mean_square_of_the_kept_and_no_mean():
    weight, mask = shifted_layer((12, 30))
    kept = drawn("gaussian", weight, mask)[:, mask]
    square, variance = np.mean(weight[mask] ** 2), np.var(weight[mask])
    assert_mean(kept.ravel(), 0.0, rejects=0.1)
    assert_mean(kept.ravel() ** 2, square, rejects=variance)
    assert_mean(kept.ravel() ** 4, 3 * square**2, rejects=2.4 * square**2)
    assert_mean(np.ravel(kept[:, 1:] * kept[:, :-1]), 0.0, rejects=0.1 * square)


def test_signs_keeps_magnitudes_in_place_under_fair_coins():
    weight, mask = shifted_layer((12, 30))
    coins = np.array(drawn("signs", weight, mask)[:, mask] / weight[mask])
    assert_array_equal(np.abs(coins), 1.0)
    assert_mean(coins.ravel(), 0.0, rejects=0.05)
    assert_mean(np.ravel(coins[:, 1:] * coins[:, :-1]), 0.0, rejects=0.05)


def test_permuted_moves_every_value_to_every_place():
    weight, mask = shifted_layer((12, 30))
    kept = drawn("permuted", weight, mask)[:, mask]
    assert_array_equal(np.sort(kept, axis=1), np.broadcast_to(np.sort(weight[mask]), kept.shape))
    largest = weight[mask].argmax()
    places = np.argmax(kept, axis=1)
    assert_mean(places, (kept.shape[1] - 1) / 2, rejects=largest)
    assert len(set(places)) > kept.shape[1] / 2


@pytest.mark.parametrize("shape", SHAPES)
def test_degrees_keeps_degrees_and_values_and_moves_the_mask(shape):
    weight, mask = shifted_layer(shape)
    for one in drawn("degrees", weight, mask, 5):
        assert_array_equal(np.sort(one[one != 0]), np.sort(weight[mask]))
        assert np.mean(one[one != 0] == weight[mask]) < 0.2
        for axis in (0, 1):
            assert_array_equal(np.sum(one != 0, axis=axis), mask.sum(axis=axis))
        assert 0.2 < np.mean((one != 0)[mask]) < 0.7


def masks_of_degrees(rows, columns):
    """Every 0-1 matrix of these degrees, as bytes."""
    choices = [list(combinations(range(len(columns)), degree)) for degree in rows]
    for picked in product(*choices):
        mask = np.zeros((len(rows), len(columns)), bool)
        for row, places in zip(mask, picked, strict=True):
            row[list(places)] = True
        if mask.sum(axis=0).tolist() == columns:
            yield mask.tobytes()


def test_every_mask_of_the_same_degrees_is_as_likely():
    rows, columns, rng = [3, 1, 2], [2, 2, 1, 1], np.random.default_rng(2)
    counts = dict.fromkeys(masks_of_degrees(rows, columns), 0)
    start = np.frombuffer(next(iter(counts)), bool).reshape(3, 4)
    for _ in range(200 * len(counts)):
        counts[rewired(start, rng).tobytes()] += 1
    assert len(counts) > 5
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(24, 60), (60, 24)])
def test_trades_forget_where_they_began(shape):
    """Where all columns hold alike, each is as likely for a row: of two blocks nothing is left but one half."""
    m, n = shape
    block = np.add.outer(np.arange(m // 2), np.arange(n // 2)) % 3 == 0
    mask = np.kron(np.eye(2, dtype=bool), block).astype(bool)
    own = np.kron(np.eye(2, dtype=bool), np.ones(block.shape, bool)).astype(bool)
    rng = np.random.default_rng(3)
    assert_mean([np.mean(own[rewired(mask, rng)]) for _ in range(300)], 0.5, rejects=0.52)


def test_no_other_mask_has_the_degrees_of_one_row_or_of_a_full_layer():
    rng = np.random.default_rng(4)
    for mask in (np.array([[True, False, True]]), np.ones((5, 3), bool)):
        assert_array_equal(rewired(mask, rng), mask)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", NULLS)
def test_spectra_are_squared_singular_values_of_the_redraws(kind, shape):
    weight, mask = shifted_layer(shape)
    rng = np.random.default_rng(5)
    expected = [np.linalg.svd(redraw(weight, mask, kind, rng), compute_uv=False)[::-1] ** 2 for _ in range(3)]
    found = null_spectra(weight, mask, kind, 3, 5)
    assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    if kind != "gaussian":
        assert_allclose(found.sum(axis=1), np.sum(weight[mask] ** 2), rtol=1e-12)


def test_an_eigenvalue_that_cannot_but_be_0_is_exactly_0():
    weight, mask = shifted_layer((12, 30))
    mask[:4] = False
    mask[:3, 0] = True  # three rows of one direction, and one of none
    weight[:3, 0] = 0.7, -1.3, 2.1
    assert_array_equal(np.count_nonzero(null_spectra(weight, mask, "signs", 9, 0) == 0, axis=1), 3)


def refused(message, weight=None, mask=None, kind="signs", redraws=2):
    given, within = shifted_layer((3, 5), 0.7)
    weight, mask = given if weight is None else weight, within if mask is None else mask
    with pytest.raises(ValueError, match=message):
        null_spectra(weight, mask, kind, redraws, 0)


def test_what_cannot_be_redrawn_is_refused():
    refused("no null is called 'gausian': do you mean 'gaussian'", kind="gausian")
    refused("redraws = 0 is not at least 1", redraws=0)
    refused(r"weight \(3, 5\) and mask \(5, 3\) are no two matrices of one shape", mask=np.ones((5, 3), bool))
    refused(r"weight \(5,\) and mask \(5,\)", weight=np.ones(5), mask=np.ones(5, bool))
    refused("keeps no weight", mask=np.zeros((3, 5), bool))
    refused("the mask is of float64", mask=np.ones((3, 5)))
    refused(r"\d+ kept weights are not finite", mask=np.ones((3, 5), bool))
