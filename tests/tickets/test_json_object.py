"""JSON of strangers."""

import tracemalloc

import pytest

from rmtlottery.tickets.json_object import LIMIT, parse


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


@pytest.mark.parametrize("piece", [b"{},", b'{"":0},', b'{"":0,"":0},', b"[1],", b'"12",', b"1.5,"], ids=repr)
def test_what_would_take_much_memory_is_not_made(piece):
    with pytest.raises(ValueError, match="it would take more than 300000000 bytes of memory"):
        parse(b'{"a":[' + piece * (LIMIT // len(piece)) + b"0]}")


@pytest.mark.parametrize("piece", [b"{},", b'{"b":0},', b'{"b":0,"b":0},', b"[1],", b'"12",'], ids=repr)
def test_memory_stays_below_what_is_counted(piece, monkeypatch):
    count = 3000
    content = b'{"a":[' + piece * count + b"0]}"
    tracemalloc.start()
    parse(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    monkeypatch.setattr("rmtlottery.tickets.json_object.ROOM", peak - 3 * len(content))
    with pytest.raises(ValueError, match="bytes of memory"):
        parse(content)


def test_a_hundred_thousand_tensors_are_read():
    claim = '"layer.%d.weight":{"dtype":"F32","shape":[1,2,3,4],"data_offsets":[0,96]}'
    assert len(parse(b"{" + ",".join(claim % number for number in range(100_000)).encode() + b"}")) == 100_000
