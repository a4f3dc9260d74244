"""Which tickets are compared: those of one task that keep as many weights."""

import pandas as pd

from rmtlottery.analyze._matched import distinct, matched, told_apart


def rows(*told):
    return pd.DataFrame(told, columns=["task", "arm", "weights"]).assign(net="n", rule="r")


def test_what_keeps_as_many_as_an_iterated_ticket_is_compared_with_it():
    table = rows(("a", "imp", 1000), ("a", "imp", 800), ("a", "x", 960), ("a", "x", 830), ("a", "y", 900), ("a", "y", 1060))
    assert matched(table)["kept"].to_dict() == {0: 1000, 1: 800, 2: 1000, 3: 800}


def test_within_five_percent():
    table = rows(("a", "imp", 10_000), ("a", "x", 9501), ("a", "x", 9499), ("a", "x", 10_499), ("a", "x", 10_501))
    assert matched(table)["weights"].to_list() == [10_000, 9501, 10_499]


def test_between_two_numbers_the_nearer_counts():
    table = rows(("a", "imp", 1000), ("a", "imp", 950), ("a", "x", 970), ("a", "x", 980))
    assert matched(table)["kept"].to_list() == [1000, 950, 950, 1000]


def test_tasks_have_numbers_of_their_own():
    table = rows(("a", "imp", 1000), ("b", "imp", 970), ("b", "x", 960))
    assert matched(table)["kept"].to_list() == [1000, 970, 970]


def test_where_nothing_is_iterated_the_largest_of_those_alike_gives_the_number():
    table = rows(("a", "x", 1000), ("a", "y", 960), ("a", "x", 800), ("a", "y", 790))
    assert matched(table)["kept"].to_list() == [1000, 1000, 800, 800]


def test_numbers_are_told_from_the_first_alike_and_not_from_the_one_before():
    assert distinct(pd.Series([1000, 960, 920, 920, 900]), 0.05) == [1000, 920]
    assert distinct(pd.Series([1000, 951]), 0.05) == [1000]
    assert distinct(pd.Series([1000, 950]), 0.05) == [1000, 950]


def test_iterated_levels_that_are_close_stay_apart():
    table = rows(("a", "imp", 1000), ("a", "imp", 970), ("a", "x", 990), ("a", "x", 975))
    assert matched(table)["kept"].to_list() == [1000, 970, 1000, 970]


def test_nets_of_several_sizes_are_tasks_of_their_own():
    held = rows(
        ("a", "imp", 1000), ("a", "imp", 1000), ("a", "small_dense", 990), ("b", "imp", 1000), ("b", "small_dense", 900)
    )
    held["net"] = ["wide", "narrow", "tiny", "wide", "tiny"]
    assert told_apart(held)["task"].to_list() == ["a, wide", "a, narrow", "a", "b", "b"]
    assert told_apart(told_apart(held))["task"].to_list() == ["a, wide", "a, narrow", "a", "b", "b"]
    assert matched(held)["kept"].to_list() == [990, 1000, 1000, 1000]


def test_masks_iterated_by_several_rules_are_tasks_of_their_own_and_those_at_init_are_of_neither():
    held = rows(
        ("a", "imp", 1000), ("a", "imp", 1000), ("a", "snip at init", 1000), ("b", "imp", 9), ("b", "snip at init", 9)
    )
    held["rule"] = ["by layer", "globally", "none", "by layer", "none"]
    assert told_apart(held)["task"].to_list() == ["a, by layer", "a, globally", "a", "b", "b"]
