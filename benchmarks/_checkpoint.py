"""A checkpoint of any size, in bfloat16 and in shards: `python -m benchmarks._checkpoint FOLDER GIGABYTES`.

Gaussian layers of variance 1/fan_in; no more than one shard is in memory.
"""

import json
import math
import sys
from itertools import groupby
from pathlib import Path

import torch
from safetensors.torch import save_file

BYTES = 2  # a number, in bfloat16
SHARDS, SQUARES = 16, 4
LARGEST, PART = 8192, 1 / 6  # the side of the largest layers at most, and which part of the whole one of them is at most
BLOCK = {  # in units of the largest layer's side
    "norm.weight": (1 / 2,),
    "query.weight": (1 / 2, 1 / 2),
    "key.weight": (1 / 8, 1 / 2),
    "value.weight": (1 / 8, 1 / 2),
    "mix.weight": (1 / 4, 1 / 4),
    "up.weight": (2, 1 / 8),
    "down.weight": (1 / 8, 2),
}
INDEX = "model.safetensors.index.json"


def side(gigabytes: float) -> int:
    """Of the largest layers, which are square: a power of two."""
    return min(LARGEST, 2 ** math.floor(math.log2(gigabytes * 1e9 * PART / BYTES) / 2))


def shapes(gigabytes: float) -> dict[str, tuple[int, ...]]:
    """Blocks until there are as many bytes; the first few have a large square layer each."""
    large, block = side(gigabytes), 0
    named: dict[str, tuple[int, ...]] = {}
    while total(named) < gigabytes * 1e9:
        square = {"square.weight": (1, 1)} if block < SQUARES else {}
        for name, sides in (BLOCK | square).items():
            named[f"blocks.{block}.{name}"] = tuple(int(large * part) for part in sides)
        block += 1
    return named


def total(named: dict[str, tuple[int, ...]]) -> int:
    """Bytes."""
    return BYTES * sum(map(math.prod, named.values()))


def shards(named: dict[str, tuple[int, ...]]) -> list[list[str]]:
    """The names in order, in parts of about equal size."""
    share, passed, places = total(named) / SHARDS, 0, {}
    for name, shape in named.items():
        places[name] = int(passed / share)
        passed += BYTES * math.prod(shape)
    return [list(names) for _, names in groupby(named, places.__getitem__)]


def make(folder: Path, gigabytes: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    named, random = shapes(gigabytes), torch.Generator().manual_seed(0)
    parts = shards(named)
    places: dict[str, str] = {}
    for number, names in enumerate(parts, start=1):
        file = f"model-{number:05}-of-{len(parts):05}.safetensors"
        save_file({name: gaussian(named[name], random) for name in names}, folder / file)
        places |= dict.fromkeys(names, file)
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": total(named)}, "weight_map": places}, indent=1))
    return folder


def gaussian(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=random).div_(shape[-1] ** 0.5).to(torch.bfloat16)


if __name__ == "__main__":
    make(Path(sys.argv[1]), float(sys.argv[2]))
