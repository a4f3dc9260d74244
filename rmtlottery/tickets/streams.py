"""Randomness is an argument: every stream of random numbers is a function of a seed and of what it is for."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def generator(seed: int, *purpose: object) -> "np.random.Generator":
    """A generator of its own for (seed, purpose), the same on every machine and whatever else is drawn.

    Philox takes the whole 128 bits of key; torch's CPU generator would use 32 of them, and streams would collide.
    """
    import numpy as np

    words = "/".join(map(str, (seed, *purpose)))
    key = int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))
