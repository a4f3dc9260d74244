"""The bundled 8x8 digits (Alpaydin and Kaynak 1998, UCI, CC BY 4.0; see data/README.md)."""

import numpy as np
import torch

from rmtlottery.datasets.bundled import bundled
from rmtlottery.datasets.dataset import Dataset, assemble, every_fifth
from rmtlottery.tickets.parts import Digits


def digits(data: Digits) -> Dataset:
    """1797 pictures of 64 pixels in 0..16, ten classes."""
    with np.load(bundled("digits.npz"), allow_pickle=False) as held:
        x, y = torch.from_numpy(held["x"]).float(), torch.from_numpy(held["y"]).long()
    return assemble(*every_fifth(x, y), shape=(1, 8, 8), classes=10, validation=data.validation)
