"""The reader of torch's pickles: plain data as pickle itself reads them, calls as notes, and nothing executed."""

import io
import os
import pickle
import pickletools
import tracemalloc
from argparse import Namespace
from collections import OrderedDict, defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.tickets.pickles import CHANGE, LIMIT, PUSH, Call, Outside, Stranger, unpickled
from rmtlottery.tickets.state_dict import DATA
from tests.tickets.checkpoints import Bomb

FUZZ = settings(deadline=None, database=None, derandomize=True)
PROTOCOLS = range(2, 6)


def read(content, known=DATA, **room):
    return unpickled(io.BytesIO(content), len(content), known, **room)[0]


keys = st.text() | st.integers(-(2**63), 2**64 - 1) | st.booleans() | st.none()
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**3000), 2**3000) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.lists(inner, max_size=5).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=30,
)


@FUZZ
@given(plain, st.sampled_from(PROTOCOLS))
def test_plain_data_are_read_as_pickle_reads_them(value, protocol):
    assert read(pickle.dumps(value, protocol=protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dictionaries_are_plain_ones(protocol):
    shared = [1]
    value = {"ordered": OrderedDict(a=shared, b=shared), "default": defaultdict(list, c=[2]), "many": list(range(3000))}
    found = read(pickle.dumps(value, protocol=protocol))
    assert found == value
    assert type(found["ordered"]) is dict
    assert found["ordered"]["a"] is found["ordered"]["b"]


def test_an_ordered_dictionary_of_python_2_is_given_its_pairs():
    content = b"\x80\x02ccollections\nOrderedDict\n](](U\x01aK\x01e](U\x01bK\x02ee\x85R."
    assert read(content) == {"a": 1, "b": 2} == pickle.loads(content)


def test_a_call_is_a_note_of_it():
    found = read(pickle.dumps([Namespace(a=1), Path("/x"), np.float64(0.3), {1, 2}], protocol=2))
    assert {type(item) for item in found} == {Call}
    assert found[1].name == "pathlib PosixPath"
    assert found[1].arguments == ("/", "x")


def test_a_long_string_is_passed_over():
    value = ["x" * 10**6, b"y" * 10**6, "after"]
    assert read(pickle.dumps(value, protocol=4))[2] == "after"
    with pytest.raises(ValueError, match="a string of 1000000 bytes is promised and the file ends before"):
        read(pickle.dumps(value, protocol=4)[:1000])


def test_what_lies_outside_is_listed():
    found, outside = unpickled(io.BytesIO(b"\x80\x02]q\0(U\x01aQU\x01bQe."), 99)
    assert outside == found
    assert [note.identity for note in found] == ["a", "b"]
    assert type(found[0]) is Outside


def test_the_next_pickle_begins_where_one_ends():
    file = io.BytesIO(pickle.dumps(1, protocol=2) + pickle.dumps("two", protocol=4))
    assert [unpickled(file, 99)[0] for _ in range(2)] == [1, "two"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "asked", [os.system, eval, exec, getattr, __import__, torch.load, torch.nn.Linear], ids=lambda f: f.__name__
)
def test_a_name_that_is_not_known_ends_the_reading(protocol, asked):
    with pytest.raises(Stranger, match=rf"{asked.__name__}$"):
        read(pickle.dumps({"w": 1, "x": asked}, protocol=protocol))


def test_no_known_name_is_called(tmp_path):
    content = pickle.dumps(Bomb(tmp_path / "executed"), protocol=2)
    found = read(content, {"posix system"})
    assert found.name == "posix system"
    assert not (tmp_path / "executed").exists()


def test_python_has_no_other_opcode_in_binary_protocols():
    text = set("IFLSVlgipPd")
    others = {
        "EXT1",
        "EXT2",
        "EXT4",
        "PERSID",
        "INST",
        "OBJ",
        "LIST",
        "DICT",
        "PUT",
        "GET",
        "NEXT_BUFFER",
        "READONLY_BUFFER",
    }
    ours = {code.decode("latin-1") for code in {*PUSH, *CHANGE}} | {"."}
    missing = {op.name for op in pickletools.opcodes if op.code not in ours and op.code not in text}
    assert missing == others - {"PERSID", "INST", "LIST", "DICT", "PUT", "GET"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "1 bytes of a pickle are promised and 0 may be read"),
        (b"\x80\x02", "1 bytes of a pickle are promised"),
        (b"\x80\x09.", "a pickle of protocol 9 is none that torch writes"),
        (b"\x80\x02\xff.", "the opcode .* is unknown"),
        (b"\x80\x02.", "IndexError"),
        (b"\x80\x02h\7.", "KeyError"),
        (b"\x80\x02t.", "IndexError"),
        (b"\x80\x02K\1K\2R.", "what it calls is no global"),
        (b"\x80\x04]]\x93.", "it names a global that is no name"),
        (b"\x80\x02ctorch\n" + b"x" * 300, "it names a global that is no name"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "2147483647 bytes of a pickle are promised"),
    ],
)
def test_what_is_no_pickle_is_a_value_error(content, why):
    with pytest.raises(ValueError, match=why):
        read(content)


@pytest.mark.parametrize("opening", [b"]", b"}", b")\x85"], ids=["list", "dictionary", "tuple"])
def test_depth_overflows_nothing(opening):
    closing = {b"]": b"a", b"}": b"", b")\x85": b"\x85"}[opening]
    content = b"\x80\x02" + (opening * 100_000 + closing * 99_999 if closing != b"\x85" else b")" + closing * 100_000) + b"."
    read(content)
    with pytest.raises(ValueError, match="no name"):
        read(b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b"U\1a\x93.")


def test_little_content_takes_little_memory():
    """A list that is remembered may not be copied again and again, nor bytes be made of a promise."""
    many = (
        b"\x80\x02ccollections\nOrderedDict\nq\0](" + b"".join(b"U\x02%02dN\x86" % (i % 100) for i in range(10**4)) + b"eq\1"
    )
    content = many + b"h\0h\1\x85R" * 10**4
    tracemalloc.start()
    with pytest.raises(ValueError, match="a list of it is copied again and again"):
        read(content + b".")
    assert tracemalloc.get_traced_memory()[1] < 30 * len(content)
    tracemalloc.stop()


def test_a_pickle_of_only_opcodes_is_bounded(monkeypatch):
    monkeypatch.setattr("rmtlottery.tickets.pickles.LIMIT", 1000)
    assert LIMIT == 32_000_000
    with pytest.raises(ValueError, match="may be read"):
        read(b"\x80\x02" + b"]" * 2000 + b".")


@pytest.mark.parametrize("many", [b"]", b"(", b")\x85", b"N\x94", b"U\1a", b"N"], ids=repr)
def test_opcodes_may_ask_for_so_much_memory_alone(many):
    with pytest.raises(ValueError, match="would take more memory than one of torch does"):
        read(b"\x80\x02" + many * 1000 + b".", room=10_000)


def test_a_shared_key_is_counted_in_each_dictionary():
    with pytest.raises(ValueError, match="would take more memory than one of torch does"):
        read(b"\x80\x02}U\1aq\0" + b"0(" + b"h\0N" * 200 + b"u.", room=10_000)


def test_long_integers_are_no_keys_and_longer_ones_nothing():
    assert read(pickle.dumps({2**64: 1, 2**64 - 1: 2, -(2**63): 3, -(2**63) - 1: 4})) == {2**64 - 1: 2, -(2**63): 3}
    with pytest.raises(ValueError, match="an integer of 1025 bytes is none that torch writes"):
        read(b"\x80\x02\x8b" + (1025).to_bytes(4, "little") + b"\1" * 1025 + b".")


WHOLE = pickle.dumps({"a": OrderedDict(b=(1, 2.5, None)), "c": [Namespace(d="e")], "f": b"g"}, protocol=2)


@FUZZ
@given(st.integers(0, 8 * len(WHOLE) - 1))
def test_a_flipped_bit_raises_value_errors_alone(bit):
    content = bytearray(WHOLE)
    content[bit // 8] ^= 1 << bit % 8
    quietly(bytes(content))


@FUZZ
@given(st.lists(st.sampled_from([*PUSH, *CHANGE]) | st.binary(min_size=1, max_size=3), max_size=40).map(b"".join))
def test_any_opcodes_raise_value_errors_alone(content):
    quietly(content + b".")


def quietly(content):
    with suppress(ValueError):
        read(content)
