"""The reader of pickles: plain data as pickle itself reads them, calls as notes, and nothing executed."""

import os
import pickle
import pickletools
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.datasets.inert import NAMES, Call, inert
from rmtlottery.refusal import Refusal
from tests.datasets.made import cifar_batch, pictures

BATCH = cifar_batch(pictures(2), [3, 9])

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**900), 2**900) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.tuples(inner, inner, inner, inner) | st.dictionaries(st.text(), inner)
    ),
    max_leaves=30,
)


@settings(deadline=None, database=None, derandomize=True)
@given(plain)
def test_plain_data_are_read_as_pickle_reads_them(value):
    assert inert(pickle.dumps(value, protocol=2), "x") == value


def test_long_lists_and_what_is_named_twice_are_read_as_pickle_reads_them():
    shared = ["shared"]
    value = {"many": list(range(70_000)), "one": [1], "twice": [shared, shared]}
    found = inert(pickle.dumps(value, protocol=2), "x")
    assert found == value
    assert found["twice"][0] is found["twice"][1]


def test_python_2_strings_are_bytes():
    found = inert(BATCH, "x")
    assert found[b"batch_label"] == b"training batch 1 of 5"
    assert found[b"labels"] == [3, 9]
    assert found == pickle.loads(BATCH, encoding="bytes") | {b"data": found[b"data"]}


def test_a_call_is_a_note_of_it():
    held = inert(BATCH, "x")[b"data"]
    assert isinstance(held, Call)
    assert held.name == NAMES[0]


class Evil:
    """Pickled, it asks for a call."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked


@pytest.fixture
def marker(tmp_path):
    """A file that exists only where something was executed."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists()


def attacks(path):
    touch = f"open({str(path)!r}, 'w')"
    return {
        "os.system": Evil(os.system, f"touch {path}"),
        "eval": Evil(eval, touch),
        "exec": Evil(exec, touch),
        "nested": [1, {"a": (Evil(list, (Evil(os.system, f"touch {path}"),)),)}],
        "getattr": Evil(getattr, Evil(__import__, "os"), "system"),
        "path": Evil(Path.touch, path),
        "numpy.load": Evil(np.load, str(path), None, True),
        "fromfile": Evil(np.fromfile, str(path)),
        "scalar": Evil(np._core.multiarray.scalar, np.dtype("O"), pickle.dumps(Evil(os.system, f"touch {path}"))),
        "object array": np.array([Evil(os.system, f"touch {path}")], dtype=object),
        "today's numpy": np.arange(3),
        "class": OrderedDict(a=1),
    }


@pytest.mark.parametrize("name", attacks("x"))
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_pickles_that_ask_for_calls_are_refused_and_nothing_is_executed(name, protocol, marker):
    content = pickle.dumps(attacks(marker)[name], protocol=protocol)
    with pytest.raises(Refusal, match=r"x is no published pickle: byte \d+: .*; nothing of it was executed"):
        inert(content, "x")


def test_the_attacks_do_work_on_pickle_itself(tmp_path):
    """Else the test above would prove nothing."""
    path = tmp_path / "executed"
    pickle.loads(pickle.dumps(attacks(path)["nested"], protocol=2))
    assert path.exists()


@pytest.mark.parametrize(
    "name",
    [
        "os system",
        "posix system",
        "__builtin__ eval",
        "builtins exec",
        "numpy load",
        "numpy.core.multiarray scalar",
        "numpy.core.multiarray fromfile",
        "numpy._core.multiarray _reconstruct",
        "numpy ndarray.tofile",
        "_codecs encode",
        "numpy.core.multiarray  _reconstruct",
    ],
)
def test_any_other_global_is_refused_by_name_even_if_it_is_never_called(name):
    module, _, member = name.partition(" ")
    content = f"\x80\x02c{module}\n{member}\n.".encode("latin1")
    with pytest.raises(Refusal, match=r"it asks for .*, and nothing but numpy's arrays is known"):
        inert(content, "x")


def test_an_allowed_name_called_with_nasty_arguments_is_a_note_and_no_array():
    nasty = b"\x80\x02cnumpy\ndtype\nU\x01OK\x00K\x01\x87R."
    assert inert(nasty, "x").arguments == (b"O", 0, 1)
    huge = b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85\x85R."
    assert inert(huge, "x").arguments == ((2**31 - 1,),)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", r"byte 0: 1 bytes are promised and 0 are left"),
        (b"\x80\x02", "byte 2: 1 bytes are promised"),
        (b"\x80\x02N", "byte 3: 1 bytes are promised"),
        (b"\x80\x04N.", "written in protocol 4, not 2"),
        (b"\x80\x02T\xff\xff\xff\x7fabc.", "2147483647 bytes are promised and 4 are left"),
        (b"\x80\x02T\xff\xff\xff\xffabc.", "-1 bytes are promised"),
        (b"\x80\x02X\xff\xff\xff\xffabc.", "4294967295 bytes are promised"),
        (b"\x80\x02X\x01\0\0\0\xff.", "can't decode"),
        (b"\x80\x02Nq\x01h\x02.", "nothing is remembered as 2"),
        (b"\x80\x02NN.", "does not end with its only value"),
        (b"\x80\x02(N.", "does not end with its only value"),
        (b"\x80\x02N.N", "does not end with its only value"),
        (b"\x80\x02.", "does not end with its only value"),
        (b"\x80\x02\x85.", "pop from empty list"),
        (b"\x80\x02Nt.", "pop from empty list"),
        (b"\x80\x02q\x01.", "index out of range"),
        (b"\x80\x02NNR.", "what it calls is no global"),
        (b"\x80\x02NNb.", "a state is given to what is no call"),
        (b"\x80\x02NNa.", "items are given to what is no list"),
        (b"\x80\x02N(NNu.", "keys are given to what is no dictionary"),
        (b"\x80\x02}(NNu.", "neither text nor numbers"),
        (b"\x80\x02}(K\x01u.", "argument 2 is shorter"),
        (b"\x80\x02c" + b"a" * 70 + b"\n\n.", "subsection not found"),
        (b"\x80\x02P1\n.", r"the opcode b'P' is unknown"),
        (b"\x80\x02\x82\x01.", r"the opcode b'\\x82' is unknown"),
        (b"\x80\x02i__builtin__\neval\n.", "the opcode b'i' is unknown"),
        (b"\x80\x02o.", "the opcode b'o' is unknown"),
    ],
)
def test_damage_and_unknown_opcodes_are_refused(content, match):
    with pytest.raises(Refusal, match=match):
        inert(content, "x")


@pytest.mark.parametrize("end", range(0, len(BATCH), 97))
def test_every_cut_off_pickle_is_refused(end):
    with pytest.raises(Refusal, match=r"bytes are promised|subsection not found"):
        inert(BATCH[:end], "x")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02)" + b"\x85" * 300_000 + b".",
        b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b".",
        b"\x80\x02cnumpy\nndarray\nq\0" + b"h\0" * 300_000 + b"R" * 300_000 + b".",
        b"\x80\x02" + b"(" * 300_000 + b"t" * 300_000 + b".",
    ],
    ids=["tuples", "lists", "calls", "marks"],
)
def test_deep_nesting_is_no_stack_overflow(content):
    """Neither reading what is nested 300,000 deep overflows the C stack, nor letting it go."""
    found = inert(content, "x")
    assert isinstance(found, tuple | list | Call)
    del found


def test_a_key_as_deep_as_the_stack_is_refused():
    with pytest.raises(Refusal, match="neither text nor numbers"):
        inert(b"\x80\x02})" + b"\x85" * 300_000 + b"Ns.", "x")


def test_repetition_takes_no_more_memory_than_the_file():
    """Doubling by reference: each list holds the one before it ten times over."""
    content = b"\x80\x02]q\0"
    for place in range(1, 200):
        content += b"](" + b"h" + bytes([place - 1]) + (b"h" + bytes([place - 1])) * 9 + b"eq" + bytes([place])
    tracemalloc.start()
    with pytest.raises(Refusal, match="does not end with its only value"):
        inert(content + b".", "x")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


opcodes = st.sampled_from([op.code.encode("latin1") for op in pickletools.opcodes])
pieces = st.lists(opcodes | st.binary(max_size=6) | st.sampled_from([b"cnumpy\ndtype\n", b"K\1", b"U\1u", b"h\0", b"q\0"]))


@settings(deadline=None, database=None, derandomize=True)
@given(st.binary(max_size=200) | pieces.map(b"".join).map(b"\x80\x02".__add__))
def test_any_bytes_are_refused_or_plain(content):
    try:
        found = inert(content, "x")
    except Refusal:
        return
    assert (
        isinstance(found, Call | bool | int | float | str | bytes | memoryview | list | dict | tuple | None)
        or found.text in NAMES
    )
