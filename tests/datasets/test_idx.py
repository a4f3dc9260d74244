"""The IDX parser: right, or a Refusal, and never more memory than the shape asks for."""

import gzip
import math
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rmtlottery.datasets.idx import idx
from rmtlottery.refusal import Refusal
from tests.datasets.made import idx_bytes

SHAPE = (4, 3, 2)
WHOLE = gzip.decompress(idx_bytes(np.arange(24).reshape(SHAPE)))


def read(content):
    return idx(gzip.compress(content, mtime=0), SHAPE, "x.gz")


@settings(deadline=None, database=None, derandomize=True)
@given(arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4, max_side=6)))
def test_it_gives_back_what_was_written(array):
    np.testing.assert_array_equal(idx(idx_bytes(array), array.shape, "x.gz"), array)


def test_the_first_index_is_the_slowest_and_sizes_are_big_endian():
    header = bytes([0, 0, 8, 2, 0, 0, 1, 2, 0, 0, 0, 3])
    found = idx(gzip.compress(header + bytes(range(256)) * 3 + bytes(6)), (258, 3), "x.gz")
    assert found[0].tolist() == [0, 1, 2]
    assert found[1].tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "begins with nothing"),
        (b"\0\0", "begins 0000"),
        (b"\0\0\x0d\x03" + WHOLE[4:], r"x\.gz is no IDX file of bytes in 3 dimensions: it begins 00000d03"),
        (b"\0\0\x08\x02" + WHOLE[4:], "begins 00000802"),
        (b"\1" + WHOLE[1:], "begins 01000803"),
        (WHOLE[:10], "no IDX file of bytes"),
        (WHOLE[:7] + b"\x05" + WHOLE[8:], r"declares the shape \(5, 3, 2\) where \(4, 3, 2\) was expected"),
        (WHOLE[:4] + b"\xff" * 12 + WHOLE[16:], r"declares the shape \(4294967295, 4294967295, 4294967295\)"),
        (WHOLE[:-1], "ends after 23 of the 24 bytes that it declares"),
        (WHOLE + b"!", "goes on after the 40 bytes that were expected of it"),
    ],
)
def test_other_content_is_refused(content, match):
    with pytest.raises(Refusal, match=match):
        read(content)


PACKED = gzip.compress(WHOLE, mtime=0)


@pytest.mark.parametrize(
    ("packed", "match"),
    [
        (b"", "is cut off: its gzip stream does not end"),
        (PACKED[:-1], "is cut off"),
        (PACKED[:20], "is cut off"),
        (WHOLE, "no gzip file, or a damaged one"),
        (zlib.compress(WHOLE), "no gzip file"),
        (PACKED[:-6] + b"\0" + PACKED[-5:], "damaged one .*incorrect data check"),
        (PACKED + b"\0", "goes on after the 40 bytes"),
        (PACKED + PACKED, "goes on after the 40 bytes"),
    ],
    ids=["empty", "last byte", "middle", "unpacked", "zlib", "checksum", "one more", "twice"],
)
def test_damaged_gzip_is_refused(packed, match):
    with pytest.raises(Refusal, match=match):
        idx(packed, SHAPE, "x.gz")


def peak(attempt):
    """The most bytes that an attempt, which is refused, holds at once."""
    tracemalloc.start()
    try:
        with pytest.raises(Refusal, match="goes on after"):
            attempt()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("declared", [SHAPE, (1 << 30, 3, 2)], ids=["modest", "boastful"])
def test_a_gzip_bomb_does_not_fill_the_memory(declared):
    header = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in declared)
    bomb = gzip.compress(header + bytes(50_000_000))
    assert peak(lambda: idx(bomb, SHAPE, "x.gz")) < 1_000_000


mutated = st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.integers(0, len(WHOLE) + 3))


@settings(deadline=None, database=None, derandomize=True)
@given(st.one_of(st.binary(max_size=80), mutated))
def test_any_content_is_refused_or_right(content):
    if isinstance(content, tuple):
        place, byte, end = content
        content = (WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :] + b"!!!")[:end]
    try:
        found = read(content)
    except Refusal:
        return
    assert content[:16] == WHOLE[:16]
    assert found.tobytes() == content[16:]
    assert len(content) == 16 + math.prod(SHAPE)


@settings(deadline=None, database=None, derandomize=True)
@given(st.one_of(st.binary(max_size=80), st.tuples(st.integers(0, len(PACKED) - 1), st.integers(1, 255))))
def test_any_packed_bytes_are_refused_or_right(packed):
    if isinstance(packed, tuple):
        place, flip = packed
        packed = PACKED[:place] + bytes([PACKED[place] ^ flip]) + PACKED[place + 1 :]
    try:
        found = idx(packed, SHAPE, "x.gz")
    except Refusal:
        return
    assert found.tobytes() == WHOLE[16:], "only what gzip does not sum (its header) may differ"
