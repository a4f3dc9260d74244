"""How many weights a cut removes and which: counts against decimal arithmetic and hand-written rankings."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
import torch

from rmtlottery.prune.cut import check_survivors, counts, cut, rates, removed
from rmtlottery.refusal import Refusal

FIFTEEN_ROUNDS = [((256, 3072), 0.2, 27670), ((256, 256), 0.2, 2306), ((10, 256), 0.1, 529)]


def rounds(size, rate, levels, rounding, of_kept=False):
    """Weights left after some rounds, in decimal arithmetic and under any rounding rule."""
    for _ in range(levels):
        if of_kept:
            size = int((size * (1 - Decimal(rate))).quantize(Decimal(1), rounding))
        else:
            size -= int((size * Decimal(rate)).quantize(Decimal(1), rounding))
    return size


def ones(*shape):
    return torch.ones(shape, dtype=torch.bool)


@pytest.mark.parametrize(("shape", "rate", "left"), FIFTEEN_ROUNDS)
def test_fifteen_rounds_leave_the_known_count(shape, rate, left):
    mask, scores = ones(*shape), torch.rand(shape, generator=torch.Generator().manual_seed(0))
    for _ in range(15):
        mask = cut(scores, mask, rate)
    assert mask.sum() == counts(mask.numel(), rate, 15)[-1] == left


def test_the_known_counts_tell_rounding_rules_apart():
    assert rounds(2560, "0.1", 15, ROUND_HALF_EVEN) == 529
    assert rounds(2560, "0.1", 15, ROUND_HALF_UP) == 528
    assert rounds(2560, "0.1", 15, ROUND_HALF_EVEN, of_kept=True) == 528


@pytest.mark.parametrize(
    ("rate", "remaining", "gone"),
    [(0.1, 5, 0), (0.1, 15, 2), (0.5, 3, 2), (0.5, 1, 0), (0.7, 45, 32), (0.2, 7, 1), (0.2, 8, 2), (1e-05, 10**5, 1)],
)
def test_halves_go_to_even_with_the_rate_as_it_was_written(rate, remaining, gone):
    assert removed(remaining, rate) == gone


@pytest.mark.parametrize("rate", ["0.1", "0.2", "0.15", "0.35", "0.7"])
def test_every_size_agrees_with_decimal_arithmetic(rate):
    for size in range(300):
        assert size - removed(size, float(rate)) == rounds(size, rate, 1, ROUND_HALF_EVEN)


def test_counts_start_dense_and_have_one_entry_a_level():
    assert counts(10, 0.2, 4) == [10, 8, 6, 5, 4]


def test_the_smallest_magnitudes_go():
    scores = torch.tensor([[0.5, 0.1, 0.4], [0.2, 0.9, 0.3]])
    assert cut(scores, ones(2, 3), 0.5).tolist() == [[True, False, True], [False, True, False]]


def test_equal_scores_go_in_the_order_of_their_index():
    mask = cut(torch.full((3, 5), 0.25), ones(3, 5), 0.4)
    assert mask.flatten().tolist() == [False] * 6 + [True] * 9


def test_equal_scores_at_the_threshold_keep_the_count_exact():
    scores = torch.tensor([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 0.5, 4.0])
    assert cut(scores, ones(8), 0.5).tolist() == [True, False, False, False, True, True, False, True]


def test_ties_are_stable_in_a_large_layer():
    mask = cut(torch.ones(266_200), ones(266_200), 0.2)
    assert not mask[:53_240].any()
    assert mask[53_240:].all()


def test_removed_weights_are_not_counted_or_cut_again():
    mask = ones(10)
    mask[[0, 3, 4]] = False
    scores = torch.arange(10.0)
    scores[~mask] = 0
    smaller = cut(scores, mask, 0.3)
    assert smaller.nonzero().flatten().tolist() == [5, 6, 7, 8, 9]


def test_removed_weights_stay_out_however_large():
    mask = torch.tensor([True, False, True, True])
    assert cut(torch.tensor([1.0, 99.0, 2.0, 3.0]), mask, 0.3).tolist() == [False, False, True, True]


def test_a_kept_weight_of_exactly_zero_is_a_kept_weight():
    scores = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0])
    assert cut(scores, ones(5), 0.2).tolist() == [False, True, True, True, True]


def test_a_mask_is_a_subset_of_its_parent_which_is_left_alone():
    scores = torch.randn(40, 30, generator=torch.Generator().manual_seed(1)).abs()
    parent = cut(scores, ones(40, 30), 0.2)
    before, child = parent.clone(), cut(scores.flip(0), parent, 0.2)
    assert child.dtype == torch.bool
    assert not (child & ~parent).any()
    assert torch.equal(parent, before)


def test_a_rate_of_nothing_cuts_nothing():
    assert torch.equal(cut(torch.rand(4, 3), ones(4, 3), 0.0), ones(4, 3))


def test_only_the_last_layer_has_its_own_rate():
    assert rates(["fc1.weight", "fc2.weight", "fc3.weight"], 0.2, 0.1) == {
        "fc1.weight": 0.2, "fc2.weight": 0.2, "fc3.weight": 0.1
    }  # fmt: skip


def test_a_net_of_one_layer_is_cut_at_the_last_rate():
    assert rates(["fc1.weight"], 0.2, 0.1) == {"fc1.weight": 0.1}


def test_a_plan_that_empties_a_layer_is_refused_with_its_level():
    with pytest.raises(Refusal, match=r"density 0 in fc2\.weight: 0\.6 a cut leaves none of its 3 weights at level 2"):
        check_survivors({"fc1.weight": 1000, "fc2.weight": 3}, {"fc1.weight": 0.2, "fc2.weight": 0.6}, 5)


def test_one_level_less_is_not_refused():
    check_survivors({"fc2.weight": 3}, {"fc2.weight": 0.6}, 1)


def test_half_to_even_leaves_the_last_weight():
    check_survivors({"fc1.weight": 3}, {"fc1.weight": 0.5}, 50)


def test_of_several_emptied_layers_the_first_to_go_is_named():
    with pytest.raises(Refusal, match=r"density 0 in fc2\.weight: .* its 1 weights at level 1; take levels below 1"):
        check_survivors({"fc1.weight": 3, "fc2.weight": 1}, dict.fromkeys(["fc1.weight", "fc2.weight"], 0.6), 5)
