"""The bundled 8x8 digits (Alpaydin and Kaynak 1998, UCI, CC BY 4.0; see data/README.md)."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from rmtlottery.datasets.dataset import Dataset, assemble, every_fifth
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Digits


def digits(data: Digits) -> Dataset:
    """1797 pictures of 64 pixels in 0..16, ten classes."""
    with np.load(bundled("digits.npz"), allow_pickle=False) as held:
        x, y = torch.from_numpy(held["x"]).float(), torch.from_numpy(held["y"]).long()
    return assemble(*every_fifth(x, y), shape=(1, 8, 8), classes=10, validation=data.validation)


def bundled(name: str) -> Path:
    """A file of the project's `data` folder: inside the package once installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data", package.parent / "data"):
        if (folder / name).is_file():
            return checked(folder / name)
    raise Refusal(f"the bundled {name} is missing from {package / 'data'} and {package.parent / 'data'}; install again")


def checked(path: Path) -> Path:
    line = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
    if line not in (path.parent / "SHA256SUMS").read_text().splitlines():
        raise Refusal(f"{path} is not the file that SHA256SUMS beside it describes; install again")
    return path
