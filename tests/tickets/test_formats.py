"""A file is read by what is in it."""

import os

import pytest
import torch
from safetensors.torch import save_file

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.formats import entries


@pytest.mark.parametrize("name", ["x.pt", "x.safetensors", "x"])
def test_any_form_under_any_name(tmp_path, name):
    held, path = {"w": torch.randn(2, 3)}, tmp_path / name
    writers = [
        lambda: save_file(held, path),
        lambda: torch.save(held, path),
        lambda: torch.save(held, path, _use_new_zipfile_serialization=False),
    ]
    for write in writers:
        write()
        assert torch.equal(entries(path)[0]["w"].read(), held["w"])


@pytest.mark.parametrize("content", [b"", b"PK\5\6" + bytes(18), b"\x93NUMPY\1\0v", b"(dp0\n.", b"version https://git-lfs"])
def test_what_is_neither_is_shown_by_its_first_bytes(tmp_path, content):
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(
        Refusal, match=r"x\.pt is neither a whole \.safetensors file nor one of torch\.save: it begins with b'"
    ):
        entries(tmp_path / "x.pt")


def test_what_is_no_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refusal, match="pipe is no file"):
        entries(tmp_path / "pipe")
    with pytest.raises(Refusal, match="absent is not there"):
        entries(tmp_path / "absent")
    with pytest.raises(Refusal, match="cannot be read: File name too long"):
        entries(tmp_path / ("x" * 300))
