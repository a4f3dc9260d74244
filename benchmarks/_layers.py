"""Both sides of `layers` in one process that has one thread: `python -m benchmarks._layers` prints a row a line.

OMP_NUM_THREADS=1 and the peers' folder in PYTHONPATH are for the caller to set, since both are read as a process begins.
"""

import json
import logging
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import rmtlottery as rl
from benchmarks._clock import Row, Work, pairs
from rmtlottery.measure.layers import eigenvalues

if TYPE_CHECKING:
    import pandas as pd

Shapes = Mapping[str, tuple[int, ...]]
FCNET: Shapes = {"fc1": (256, 3072)} | {f"fc{layer}": (256, 256) for layer in range(2, 9)} | {"fc9": (10, 256)}
WIDE = ((256, 3072), (512, 8192))
Options = dict[str, bool | int]
PLAIN: Options = {"redraws": 0, "bootstraps": 0}  # neither redraws inside the mask nor a p-value, which the other has not


def resnet18() -> Shapes:
    """Of every convolution, and of the last layer: 11.7 million weights."""
    shapes: dict[str, tuple[int, ...]] = {"conv1": (64, 3, 7, 7)}
    inputs = 64
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in (f"layer{stage}.0", f"layer{stage}.1"):
            shapes |= {f"{block}.conv1": (width, inputs, 3, 3), f"{block}.conv2": (width, width, 3, 3)}
            if inputs != width:
                shapes[f"{block}.downsample.0"] = (width, inputs, 1, 1)
            inputs = width
    return shapes | {"fc": (1000, 512)}


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as root:
        fcnet, resnet = written(FCNET, Path(root) / "fcnet"), written(resnet18(), Path(root) / "resnet18")
        yield compare("FCNet", fcnet, PLAIN, {})
        yield compare("FCNet, Marchenko-Pastur", fcnet, PLAIN, {"mp_fit": True})
        yield compare("FCNet, Marchenko-Pastur and redraws", fcnet, {}, {"mp_fit": True, "randomize": True})
        yield compare("ResNet-18", resnet, PLAIN, {})
    for shape in WIDE:
        yield from decompositions(np.random.default_rng(0).standard_normal(shape))


def written(shapes: Shapes, folder: Path) -> Path:
    """A safetensors file of Gaussian weights of variance 1/fan_in."""
    random = torch.Generator().manual_seed(0)
    folder.mkdir()
    weights = {f"{name}.weight": torch.randn(shape, generator=random) for name, shape in shapes.items()}
    scaled = {name: weight / math.prod(weight.shape[1:]) ** 0.5 for name, weight in weights.items()}
    save_file(scaled, folder / "model.safetensors")
    return folder / "model.safetensors"


def compare(case: str, path: Path, our_options: Options, their_options: Options) -> Row:
    return pairs(case, lambda: ours(path, **our_options), lambda: theirs(path, **their_options))


def ours(path: Path, **options: Any) -> "pd.DataFrame":
    return rl.tabulate("layers", rl.load(path), **options)


def theirs(path: Path, **options: Any) -> "pd.DataFrame":
    """It prints, which would end between our rows."""
    from weightwatcher import WeightWatcher

    with open(devnull, "w") as nowhere, redirect_stdout(nowhere):
        return WeightWatcher(log_level=logging.ERROR).analyze(model=load_file(path), **options)


def decompositions(wide: np.ndarray) -> Iterator[Row]:
    """Eigenvalues of W W^T in float64, against singular values."""
    tensor = torch.from_numpy(wide)
    others: dict[str, Work] = {
        "numpy": lambda: np.linalg.svd(wide, compute_uv=False),
        "numpy, of the transpose": lambda: np.linalg.svd(wide.T, compute_uv=False),
        "torch": lambda: torch.linalg.svdvals(tensor),
    }
    for library, other in others.items():
        yield pairs(f"{wide.shape[0]} x {wide.shape[1]}, SVD by {library}", lambda: eigenvalues(tensor), other)


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row), flush=True)
