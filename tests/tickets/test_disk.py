"""Files are written whole, hashed by content, and read without executing anything."""

import os
import pickle
import stat

import pytest
import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import disk

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor([1, 2], dtype=torch.int16)}


class Bomb:
    """Unpickling this removes the file that it names."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.remove, (str(self.path),)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    disk.write(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        disk.write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_tensors_come_back_by_prefix(tmp_path):
    disk.write_tensors(
        tmp_path / "t.safetensors", {f"weights/{n}": t for n, t in TENSORS.items()} | {"mask/a": torch.ones(3)}
    )
    held = disk.read_tensors(tmp_path / "t.safetensors", "weights/")
    assert set(held) == {"a", "b"}
    assert all(torch.equal(held[name], TENSORS[name]) and held[name].dtype == TENSORS[name].dtype for name in held)


def test_facts_travel_with_the_tensors(tmp_path):
    disk.write_tensors(tmp_path / "t.safetensors", TENSORS, {"step": 3, "rows": [1.5]})
    assert disk.read_facts(tmp_path / "t.safetensors") == {"step": 3, "rows": [1.5]}


def test_a_fingerprint_is_of_content_not_of_order_or_file():
    same = {"a": TENSORS["a"].clone(), "b": TENSORS["b"].T.contiguous().T}
    assert disk.fingerprint(same) == disk.fingerprint(TENSORS)


@pytest.mark.parametrize(
    "other",
    [
        {"a": TENSORS["a"], "b": TENSORS["b"] + 1e-7},
        {"a": TENSORS["a"], "c": TENSORS["b"]},
        {"a": TENSORS["a"], "b": TENSORS["b"].reshape(3, 2)},
        {"a": TENSORS["a"].to(torch.int32), "b": TENSORS["b"]},
    ],
    ids=["value", "name", "shape", "type"],
)
def test_a_fingerprint_tells_apart(other):
    assert disk.fingerprint(other) != disk.fingerprint(TENSORS)


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (8, 8), (7,)])
def test_a_mask_survives_packing_at_one_bit_an_entry(shape):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.4
    bits = disk.pack(mask)
    assert bits.numel() == -(-mask.numel() // 8)
    assert torch.equal(disk.unpack(bits, shape), mask)


def test_a_pickle_where_weights_were_promised_is_named_and_not_executed(tmp_path):
    path, victim = tmp_path / "level-00.safetensors", tmp_path / "victim"
    victim.touch()
    path.write_bytes(pickle.dumps(Bomb(victim)))
    with pytest.raises(Refusal, match=r"level-00\.safetensors is damaged: .*this is a pickle, and none is ever executed"):
        disk.read_tensors(path)
    assert victim.exists()


def test_a_torch_archive_where_weights_were_promised_is_named(tmp_path):
    torch.save(TENSORS, tmp_path / "x.safetensors")
    with pytest.raises(Refusal, match="this is a pickle"):
        disk.read_tensors(tmp_path / "x.safetensors")


def test_a_truncated_file_is_named_with_its_size(tmp_path):
    path = tmp_path / "t.safetensors"
    disk.write_tensors(path, TENSORS)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(Refusal, match=rf"t\.safetensors is damaged: {path.stat().st_size} bytes that are not a whole"):
        disk.read_tensors(path)


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text('{"a": ')
    with pytest.raises(Refusal, match=r"x\.json is damaged \(not JSON"):
        disk.read_json(tmp_path / "x.json")


def test_files_are_readable_like_any_other(tmp_path):
    disk.write(tmp_path / "file", b"x")
    (tmp_path / "other").write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)
