"""Randomness is an argument: every stream of random numbers is a function of a seed and of what it is for."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def generator(seed: int, *purpose: object) -> "torch.Generator":
    """A CPU generator of its own for (seed, purpose), the same on every machine and whatever else is drawn."""
    import torch

    words = "/".join(map(str, (seed, *purpose)))
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)
