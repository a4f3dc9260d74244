"""The checkpoint that is asked as a whole: how large it is, what lies in which file; and the arithmetic of its memory."""

import json
import math
from collections import Counter

import pytest
import torch
from safetensors import safe_open

from benchmarks import _asked, _checkpoint, big_checkpoint

COST = {"seconds": 60.0, "peak_bytes": 1.2e9, "before_bytes": 0.4e9}


def test_eight_gigabytes_have_a_few_layers_of_8192_and_many_smaller_ones():
    named = _checkpoint.shapes(8)
    sizes = Counter(named.values())
    assert 1 <= _checkpoint.total(named) / 8e9 < 1.02
    assert max(map(math.prod, named.values())) == 8192**2
    assert sizes[8192, 8192] == 4
    assert all(sizes[shape] > 50 for shape in [(4096, 4096), (1024, 4096), (2048, 2048), (16384, 1024), (4096,)])


@pytest.mark.parametrize("gigabytes", [_asked.TINY, 0.05, 8])
def test_shards_hold_everything_once_and_in_order(gigabytes):
    named = _checkpoint.shapes(gigabytes)
    shards = _checkpoint.shards(named)
    assert [name for names in shards for name in names] == list(named)
    sizes = [2 * sum(math.prod(named[name]) for name in names) for names in shards]
    largest = 2 * max(map(math.prod, named.values()))
    assert max(sizes) <= _checkpoint.total(named) / _checkpoint.SHARDS + largest


def test_what_is_made_is_what_its_index_says(tmp_path):
    folder = _checkpoint.make(tmp_path / "made", 0.05)
    index = json.loads((folder / _checkpoint.INDEX).read_text())
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    assert files == sorted(set(index["weight_map"].values()))
    assert files[0] == f"model-00001-of-{len(files):05}.safetensors"
    assert 1 <= index["metadata"]["total_size"] / 5e7 < 1.1
    assert sum((folder / file).stat().st_size for file in files) / index["metadata"]["total_size"] == pytest.approx(
        1, abs=0.01
    )
    held = {}
    for file in files:
        with safe_open(folder / file, "pt") as shard:
            held |= {name: (file, shard.get_tensor(name)) for name in shard.keys()}
    assert {name: file for name, (file, _) in held.items()} == index["weight_map"]
    assert {name: tuple(tensor.shape) for name, (_, tensor) in held.items()} == _checkpoint.shapes(0.05)
    assert {tensor.dtype for _, tensor in held.values()} == {torch.bfloat16}


def test_layers_have_variance_one_over_fan_in_and_differ(tmp_path):
    random = torch.Generator().manual_seed(0)
    first, second = (_checkpoint.gaussian((400, 100), random).double() for _ in range(2))
    assert first.square().mean().item() * 100 == pytest.approx(1, abs=5 * (2 / first.numel()) ** 0.5)
    assert abs((first * second).mean().item()) * 100 < 5 / first.numel() ** 0.5


def test_memory_is_counted_in_largest_layers():
    summary = big_checkpoint.summary(8, COST)
    assert summary["largest_bytes"] == 8 * 8192**2
    assert summary["layers_of_memory"] == pytest.approx(0.8e9 / 2**29)
    assert summary["layers"] == 4 + 60 * 6


def test_a_full_disk_is_told_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(big_checkpoint.shutil, "disk_usage", lambda root: type("Usage", (), {"free": 5e9}))
    with pytest.raises(SystemExit, match=r"has 5 GB free, and a checkpoint of 8 GB is to be made there: set TMPDIR"):
        big_checkpoint.measured(8)


def test_a_row_and_a_table_come_of_it(monkeypatch, tmp_path):
    monkeypatch.setattr(big_checkpoint, "FOLDER", tmp_path)
    monkeypatch.setattr(big_checkpoint, "measured", lambda gigabytes: big_checkpoint.summary(gigabytes, COST))
    (row,) = big_checkpoint.measure()
    assert row == {"case": "8 GB", "ours_s": 60.0, "memory / largest layer": pytest.approx(1.49, abs=0.01)}
    assert "machine" in (tmp_path / "big_checkpoint.csv").read_text().splitlines()[0]


@pytest.mark.slow
def test_a_small_one_is_asked():
    cost = big_checkpoint.measured(0.05)
    assert cost["seconds"] > 0
    assert cost["peak_bytes"] >= cost["before_bytes"] > 1e7
