"""JSON of strangers."""

import pytest

from rmtlottery.tickets.json_object import parse


def test_names_that_stand_twice_are_remembered_at_each_depth():
    held = parse(b'{"a": 1, "b": {"c": 1, "c": 2, "d": 0}, "a": 3}')
    assert held == {"a": 3, "b": {"c": 2, "d": 0}}
    assert held.twice == {"a"}
    assert held["b"].twice == {"c"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[1]", "it is no object"),
        (b'{"a": ', "Expecting value"),
        (b"\xff", "can't decode byte"),
        (b'{"a":' * 200_000, "its brackets are nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
    ],
    ids=["a list", "broken", "no utf-8", "deep", "a long number"],
)
def test_what_is_no_object_is_a_value_error(content, why):
    with pytest.raises(ValueError, match=why):
        parse(content)
