"""Bundled files: found, and read only if they are what was summed."""

import shutil
from pathlib import Path

import pytest

from rmtlottery.datasets.bundled import bundled, checked
from rmtlottery.refusal import Refusal

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def copy(tmp_path):
    """The data folder's files, somewhere they may be damaged."""
    for name in ("digits.npz", "SHA256SUMS"):
        shutil.copy(DATA / name, tmp_path)
    return tmp_path / "digits.npz"


@pytest.mark.parametrize("name", ["digits.npz", "gpl-3.txt"])
def test_a_bundled_file_is_the_one_in_the_data_folder(name):
    assert bundled(name) == DATA / name


def test_every_file_there_is_summed_and_told_of():
    """But for those that do the telling."""
    held = {path.name for path in DATA.iterdir()} - {"SHA256SUMS", "README.md"}
    assert held == {line.split()[1] for line in (DATA / "SHA256SUMS").read_text().splitlines()}
    assert all(f"`{name}`" in (DATA / "README.md").read_text() for name in held)


def test_a_file_that_is_missing_is_refused():
    with pytest.raises(Refusal, match=r"the bundled numbers\.npz is missing from"):
        bundled("numbers.npz")


def test_an_intact_copy_passes_the_checksum(copy):
    assert checked(copy) == copy


@pytest.mark.parametrize("place", [0, 5000, -1])
def test_a_single_altered_byte_is_refused(copy, place):
    held = bytearray(copy.read_bytes())
    held[place] ^= 1
    copy.write_bytes(held)
    with pytest.raises(Refusal, match=r"digits\.npz is not the file that SHA256SUMS beside it describes"):
        checked(copy)


def test_a_file_that_nobody_summed_is_refused(copy):
    other = shutil.copy(copy, copy.with_name("other.npz"))
    with pytest.raises(Refusal, match=r"other\.npz is not the file that SHA256SUMS beside it describes"):
        checked(other)
