"""Where a tensor lies, and how it is read."""

import os
import zlib

import pytest
import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.entry import Entry, Record, length, reading, shown, sizes, state
from tests.tickets.checkpoints import tight

VALUES = torch.arange(24, dtype=torch.float64)


@pytest.fixture
def path(tmp_path):
    """Three bytes, 24 numbers, and two bytes more."""
    (tmp_path / "x").write_bytes(b"abc" + VALUES.numpy().tobytes() + b"de")
    return tmp_path / "x"


def entry(path, shape=(4, 6), start=3, stop=195, **more):
    return Entry(path, "w", "float64", shape, start, stop, **more)


def test_it_reads_its_bytes_wherever_they_begin(path):
    assert torch.equal(entry(path).read(), VALUES.view(4, 6))
    assert torch.equal(entry(path, (2, 1), 3 + 8 * 5, 3 + 8 * 7).read(), torch.tensor([[5.0], [6.0]], dtype=torch.float64))


def test_strides_are_in_entries_and_what_is_read_lies_in_one_piece(path):
    found = entry(path, (3, 2), 3 + 8, 3 + 8 * 19, strides=(1, 12)).read()
    assert torch.equal(found, VALUES.as_strided((3, 2), (1, 12), 1))
    assert found.is_contiguous()


def test_it_may_be_written_to_and_the_file_stays_as_it_is(path):
    before = path.read_bytes()
    entry(path).read().zero_()
    assert path.read_bytes() == before


def test_a_file_that_became_shorter_is_named_with_the_tensor(path):
    held = entry(path)
    os.truncate(path, 100)
    with pytest.raises(Refusal, match="x: tensor w: the file ends after 97 of its 192 bytes"):
        held.read()


def test_a_file_that_went_is_named(path):
    held = entry(path)
    path.unlink()
    with pytest.raises(Refusal, match="x cannot be read: No such file"):
        held.read()


def test_a_file_that_was_written_again_is_not_read(path):
    held = entry(path, state=state(path))
    assert torch.equal(held.read(), VALUES.view(4, 6))
    again = path.with_name("y")
    again.write_bytes(bytes(197))
    os.utime(again, ns=(1, path.stat().st_mtime_ns))
    again.replace(path)
    with pytest.raises(Refusal, match="x: tensor w: the file was changed after it was loaded; load it again"):
        held.read()


def test_a_checksum_is_that_of_the_whole_record(path):
    crc = zlib.crc32(path.read_bytes()[1:195])
    some = entry(path, (2, 2), 3, 35, record=Record(path, 1, 195, crc))
    assert torch.equal(some.read(), VALUES[:4].view(2, 2))
    assert entry(path, record=Record(path, 1, 195)).read().shape == (4, 6)
    for record in (Record(path, 1, 195, crc ^ 1), Record(path, 2, 195, crc), Record(path, 1, 194, crc)):
        assert not record.whole()
    content = bytearray(path.read_bytes())
    content[190] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    with pytest.raises(Refusal, match="x: tensor w: its bytes have another checksum than the one they were written with"):
        some.read()


def test_more_than_the_memory_is_refused(path):
    os.truncate(path, 2**40)
    with tight(), pytest.raises(Refusal, match=f"x: tensor w: there is no memory for its {2**36} bytes"):
        entry(path, (2**33,), 0, 2**36).read()


def test_a_type_that_torch_lacks_is_refused(path):
    with pytest.raises(Refusal, match="tensor w: sparse is not read"):
        Entry(path, "w", "sparse", (), 0, 0).read()


@pytest.mark.parametrize("shape", [[], (0,), (3, 2**63 - 1), [1] * 64])
def test_shapes(shape):
    assert sizes(shape)


@pytest.mark.parametrize("shape", [None, "34", {3: 4}, [-1], [2**63], [True], [1.0], ["1"], [[1]], [1] * 65])
def test_no_shapes(shape):
    assert not sizes(shape)


def test_lengths():
    assert (length("bfloat16", (3, 5)), length("float6_e2m3", (5,)), length("float64", ())) == (30, 4, 8)


def test_any_name_is_shown_on_one_line():
    assert shown("fc1.weight é") == "fc1.weight é"
    assert shown("a\n\ud800") == r"a\n\ud800"
    assert len(shown("x" * 10**6)) < 1100


def test_what_the_system_says_is_a_refusal(tmp_path):
    with pytest.raises(Refusal, match="x cannot be read: Is a directory"), reading(tmp_path / "x"):
        tmp_path.read_bytes()
