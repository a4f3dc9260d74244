"""Shares of hits, and where half of the seeds hit."""

import numpy as np
import pandas as pd
import pytest

from rmtlottery.analyze._hits import half, hits, threshold

DIMS = np.array([10, 20, 40, 80, 160])


def grid(losses):
    """A row a seed and size, from losses (seeds, sizes)."""
    rows = [
        {"seed": seed, "dim": dim, "loss": loss}
        for seed, row in enumerate(losses)
        for dim, loss in zip(DIMS, row, strict=True)
    ]
    return pd.DataFrame(rows)


def drawn(middle, seeds=8, seed=0):
    """Losses whose logarithm falls by one for every factor of e in d, and is 0 at `middle` but for noise."""
    noise = np.random.default_rng(seed).standard_normal((seeds, len(DIMS)))
    return grid(np.exp(np.log(middle / DIMS) + 0.3 * noise))


def test_shares_have_wilsons_interval():
    found = hits(grid([[2, 2, 1, 1, 1]] * 3 + [[2, 1, 1, 1, 1]]), 1)
    assert found["share"].tolist() == [0, 0.25, 1, 1, 1]
    z, n = 1.959964, 4
    centre, spread = (0.25 + z**2 / (2 * n)), z * np.sqrt(0.25 * 0.75 / n + z**2 / (4 * n**2))
    assert found["low"][1] == pytest.approx((centre - spread) / (1 + z**2 / n), rel=1e-5)
    assert found["high"][1] == pytest.approx((centre + spread) / (1 + z**2 / n), rel=1e-5)
    assert found["high"][0] == pytest.approx(z**2 / n / (1 + z**2 / n), rel=1e-5)


def test_where_every_seed_turns_between_the_same_sizes_the_middle_is_found():
    value, low, high = threshold(grid([[2, 2, 1, 1, 1]] * 5), 1)
    assert value == pytest.approx(np.sqrt(20 * 40), rel=0.02)
    assert (low, high) == (20, 40)


@pytest.mark.parametrize("middle", [25.0, 60.0])
def test_the_interval_holds_the_truth_as_often_as_it_says(middle):
    found = [threshold(drawn(middle, seed=seed), 1.0) for seed in range(60)]
    held = np.mean([low <= middle <= high for _, low, high in found])
    assert held >= 0.8
    assert np.exp(np.mean(np.log([value for value, _, _ in found]))) == pytest.approx(middle, rel=0.06)


def test_what_all_hit_or_none_has_no_threshold():
    rows = grid([[2, 2, 1, 1, 1]] * 3)
    assert threshold(rows, 5) == (0, 0, 0)
    assert threshold(rows, 0.5) == (np.inf, np.inf, np.inf)


def test_sizes_that_a_seed_lacks_do_not_count():
    whole = np.array([[0, 0, 1, 1, 1], [0, 0, 1, 1, 1]], float)
    few = whole.copy()
    few[1, 1] = np.nan
    (lacking,), (full,) = half(DIMS, few[None]), half(DIMS, whole[None])
    assert lacking < 40
    assert lacking == pytest.approx(full, rel=0.2)
    assert lacking != full


def test_hits_that_fall_with_d_have_no_threshold():
    assert np.isnan(half(DIMS, np.array([[[1, 1, 1, 0, 0]] * 2], float)))
