"""Fieller's interval against the t-tests that it inverts and against its coverage; where there is no gap, no share."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from rmtlottery.analyze._gap_share import BEHIND, GAP, NO_GAP, UNKNOWN, fieller, share
from rmtlottery.tickets.streams import generator
from tests.conftest import assert_mean


def pairs(numbers, seeds, truth=0.6, noise=1.0):
    """Parts and wholes with much noise in common; the whole is 10 in the mean."""
    common, own = numbers.normal(size=(2, seeds)) * noise
    return truth * 10 + common + 0.7 * own, 10 + 2 * common


@pytest.mark.parametrize("seeds", [2, 3, 5, 9])
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_at_both_ends_a_t_test_is_at_its_level(seeds, confidence):
    part, whole = pairs(generator(seeds, "ends"), seeds, noise=0.3)
    middle, *ends = fieller(part, whole, confidence)
    assert middle == pytest.approx(part.mean() / whole.mean())
    assert ends[0] < middle < ends[1]
    for end in ends:
        assert ttest_1samp(part - end * whole, 0).pvalue == pytest.approx(1 - confidence, rel=1e-6)


def test_it_is_an_interval_where_the_whole_is_told_apart_from_0_and_nowhere_else():
    numbers, told = generator(1, "told"), []
    for _ in range(300):
        part, whole = numbers.normal(1, 1, size=(2, 4))
        told.append(ttest_1samp(whole, 0).pvalue < 0.05)
        assert np.isfinite(fieller(part, whole)).all() == told[-1]
    assert 20 < sum(told) < 280


def test_it_covers_what_it_says_with_few_seeds():
    """With 5 seeds a normal quantile would cover 88 %, a t of one degree of freedom more 93.8 %, which is refused."""
    numbers, held = generator(2, "cover"), []
    for _ in range(12000):
        _, low, high = fieller(*pairs(numbers, 5, noise=0.7))
        held.append(low <= 0.6 <= high)
    assert_mean(np.array(held, float), 0.95, rejects=0.938)


def test_share_is_of_paired_differences_to_the_base():
    base, imp = np.array([0.80, 0.70, 0.75]), np.array([0.90, 0.80, 0.85]) + np.array([0, 0.002, -0.002])
    found = share(base + np.array([0.04, 0.05, 0.06]), imp, base)
    assert found.gap == GAP
    assert found.share == pytest.approx(0.5)
    assert found[:3] == pytest.approx(fieller(np.array([0.04, 0.05, 0.06]), np.array([0.1, 0.102, 0.098])))


def test_imp_recovers_all_and_the_base_nothing():
    base, imp = np.array([0.5, 0.6, 0.4]), np.array([0.8, 0.93, 0.72])
    assert share(imp, imp, base)[:3] == pytest.approx([1, 1, 1])
    assert share(base, imp, base)[:3] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(
    ("lead", "gap"),
    [
        ([0.1, 0.02, -0.06], NO_GAP),
        ([0.0, 0.0, 0.0], NO_GAP),
        ([-0.1, -0.11, -0.12], BEHIND),
        ([0.1], UNKNOWN),
    ],
)
def test_where_there_is_no_gap_there_is_no_number(lead, gap):
    base = np.array([0.5, 0.61, 0.7])[: len(lead)]
    found = share(base + 0.05, base + lead, base)
    assert found.gap == gap
    assert np.isnan(found[:3]).all()


def test_what_float64_leaves_of_equal_accuracies_is_no_gap():
    base = np.array([0.3, 0.3, 0.3])
    assert share(base + 0.1, base + 1e-16, base).gap == NO_GAP
    assert (base + 1e-16 - base).any()
