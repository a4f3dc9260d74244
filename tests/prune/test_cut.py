"""How many weights a cut removes and which: counts against decimal arithmetic and hand-written rankings."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise

import pytest
import torch

from rmtlottery.prune.cut import counts, cut_layers, cut_together, in_rounds, removed, without_lowest
from rmtlottery.refusal import Refusal
from tests.prune.rankings import cut

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


def layers(seed=0, **shapes):
    """Scores with no ties, and masks that are whole."""
    stream = torch.Generator().manual_seed(seed)
    shapes = shapes or {"a": (7, 5), "b": (3, 7), "c": (4, 3)}
    return {n: torch.rand(s, generator=stream) for n, s in shapes.items()}, {n: ones(*s) for n, s in shapes.items()}


def left(masks):
    return {name: int(mask.sum()) for name, mask in masks.items()}


@pytest.mark.parametrize("number", [0, 1, 4, 6])
def test_without_lowest_takes_exactly_so_many(number):
    scores = torch.tensor([[0.5, 0.1, 0.4], [0.2, 0.9, 0.3]])
    kept = without_lowest(scores, ones(2, 3), number)
    assert sorted(scores[~kept].tolist()) == sorted(scores.flatten().tolist())[:number]


def test_scores_that_differ_only_in_double_precision_are_told_apart():
    scores = torch.tensor([1 + 1e-12, 1.0, 1 + 2e-12], dtype=torch.float64)
    assert without_lowest(scores, ones(3), 1).tolist() == [True, False, True]


def test_scores_that_are_no_numbers_are_refused():
    scores, mask = torch.tensor([0.5, torch.nan, 0.4, torch.nan]), torch.tensor([True, True, True, False])
    with pytest.raises(Refusal, match="1 of 3 scores are no numbers"):
        without_lowest(scores, mask, 1)


def test_a_cut_of_layers_takes_from_each_what_is_its_own():
    scores, masks = layers()
    smaller = cut_layers(scores, masks, {"a": 9, "c": 2})
    assert left(smaller) == {"a": 26, "b": 21, "c": 10}
    for name, gone in (("a", 9), ("c", 2)):
        assert scores[name][~smaller[name]].max() < scores[name][smaller[name]].min()
        assert int((~smaller[name]).sum()) == gone
    assert all(mask.all() for mask in masks.values())


def test_one_ranking_takes_the_lowest_of_all_ranked_layers_together():
    scores, masks = layers()
    scores["b"] = scores["b"] * 0.5
    smaller = cut_together(scores, masks, ["a", "b"], 23)
    assert sum(left(smaller).values()) == 68 - 23
    assert smaller["c"].all()
    gone = torch.cat([scores[name][~smaller[name]] for name in ("a", "b")])
    stay = torch.cat([scores[name][smaller[name]] for name in ("a", "b")])
    assert len(gone) == 23
    assert gone.max() < stay.min()
    assert left(smaller)["b"] / 21 < left(smaller)["a"] / 35
    assert list(smaller) == list(masks)
    assert all(mask.all() for mask in masks.values())


@pytest.mark.parametrize("ranked", [["b"], ["a", "c"], ["c", "a"]])
def test_layers_that_are_not_ranked_are_untouched(ranked):
    scores, masks = layers()
    smaller = cut_together(scores, masks, ranked, 5)
    assert all(torch.equal(smaller[name], masks[name]) for name in masks if name not in ranked)
    assert sum(masks[name].numel() for name in ranked) - sum(int(smaller[name].sum()) for name in ranked) == 5


def test_each_ranked_layer_keeps_at_least_its_best_weight():
    """b's scores are all below a's: it loses all but its best, and the number is still exact."""
    scores, masks = layers()
    scores["b"] = scores["b"] - 10
    smaller = cut_together(scores, masks, ["a", "b"], 25)
    assert left(smaller) == {"a": 35 - 5, "b": 1, "c": 12}
    assert smaller["b"].flatten().nonzero().item() == scores["b"].argmax()


def test_the_best_weight_that_is_left_is_the_one_that_is_kept():
    """Not one that an earlier cut removed, however large its score stands."""
    scores, masks = layers()
    scores["b"] = scores["b"] - 10
    best = scores["b"].flatten().argmax()
    masks["b"].view(-1)[best] = False
    smaller = cut_together(scores, masks, ["a", "b"], 25)
    assert left(smaller) == {"a": 35 - 6, "b": 1, "c": 12}
    second = scores["b"].flatten().argsort()[-2]
    assert smaller["b"].flatten().nonzero().item() == second


def test_negative_scores_protect_the_highest_and_not_the_largest():
    scores = {"a": torch.tensor([-9.0, -1.0, -5.0]), "b": torch.tensor([1.0, 2.0])}
    smaller = cut_together(scores, {"a": ones(3), "b": ones(2)}, ["a", "b"], 2)
    assert smaller["a"].tolist() == [False, True, False]


def test_down_to_one_weight_a_layer():
    scores, masks = layers()
    smaller = cut_together(scores, masks, list(masks), 68 - 3)
    assert left(smaller) == {"a": 1, "b": 1, "c": 1}
    assert all(smaller[name].flatten()[scores[name].argmax()] for name in masks)


def test_scores_of_a_ranking_are_not_altered():
    scores, masks = layers()
    before = {name: value.clone() for name, value in scores.items()}
    cut_together(scores, masks, ["a", "b"], 30)
    assert all(torch.equal(scores[name], value) for name, value in before.items())


def test_equal_scores_across_layers_go_from_the_first_layer_on():
    scores = {"a": torch.tensor([0.5, 0.5, 9.0]), "b": torch.tensor([[0.5, 9.0], [0.5, 0.5]])}
    smaller = cut_together(scores, {"a": ones(3), "b": ones(2, 2)}, ["a", "b"], 3)
    assert smaller["a"].tolist() == [False, False, True]
    assert smaller["b"].tolist() == [[False, True], [True, True]]


def test_one_ranking_of_one_layer_is_a_cut_of_that_layer_ties_included():
    """Of equal scores the lower index goes first, so the best weight of a layer of equals is its last."""
    for scores in (torch.full((5,), 0.25), torch.tensor([1.0, 3.0, 3.0, 2.0, 3.0])):
        for gone in range(5):
            together = cut_together({"a": scores}, {"a": ones(5)}, ["a"], gone)["a"]
            assert together.tolist() == without_lowest(scores, ones(5), gone).tolist(), (scores, gone)


def test_a_ranking_refuses_scores_that_are_no_numbers():
    """One in a layer is enough: it must not pass for the best."""
    scores, masks = layers()
    scores["b"][1, 3] = torch.nan
    with pytest.raises(Refusal, match="1 of 21 scores are no numbers"):
        cut_together(scores, masks, ["a", "b"], 10)


def test_rounds_end_where_one_cut_would():
    for remaining in (1, 2, 7, 100, 12345):
        for rate in (0.0, 0.1, 0.5, 0.9):
            for number in (1, 2, 3, 100):
                course = in_rounds(remaining, rate, number)
                assert len(course) == number
                assert course[-1] == remaining - removed(remaining, rate)
                assert all(a >= b for a, b in pairwise([remaining, *course]))


def test_rounds_are_a_geometric_progression():
    """10,000 to 100 in four rounds: each leaves 10^(-1/2)."""
    assert in_rounds(10_000, 0.99, 4) == [3162, 1000, 316, 100]
    course = [100_000, *in_rounds(100_000, 0.9, 50)]
    for a, b in pairwise(course):
        assert b / a == pytest.approx(0.1 ** (1 / 50), rel=2e-4)
