"""The Walsh-Hadamard transform, unnormalised: entries +1 and -1, the rows in Sylvester's order."""

from functools import lru_cache
from math import prod

import torch

from rmtlottery.refusal import Refusal

MOST = 6  # bits of a block


def power_of_two(number: int) -> int:
    """The least one that is no less."""
    return 1 << (number - 1).bit_length()


def hadamard(x: torch.Tensor) -> torch.Tensor:
    """H x along the last axis, whose length is a power of two.

    H of 2^18 is the Kronecker product of three of 2^6 (Sylvester 1867), and so three products of matrices instead of
    eighteen passes of sums and differences.
    """
    size = x.shape[-1]
    if size != power_of_two(size):
        raise Refusal(f"a Walsh-Hadamard transform takes a power of two of numbers, not {size}: fill up with zeros")
    rows, sides = x.reshape(-1, size), blocks(size.bit_length() - 1)
    for place, side in enumerate(sides):
        matrix, after = sylvester(side, x.dtype, x.device), prod(sides[place + 1 :])
        if after == 1:
            rows = rows.view(-1, side) @ matrix
        else:
            parts = rows.view(-1, side, after)
            rows = torch.bmm(matrix.expand(len(parts), -1, -1), parts)
    return rows.view(x.shape)


def blocks(bits: int) -> list[int]:
    """Sides of blocks of nearly equal size whose product is 2^bits."""
    number = max(1, -(-bits // MOST))
    return [1 << (bits // number + (place < bits % number)) for place in range(number)]


@lru_cache(maxsize=32)
def sylvester(side: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """H itself: the sign of each entry is the parity of the bits that its row and column have in common."""
    with torch.inference_mode(False):  # it may be asked for first where none is to be trained, and is kept
        matrix = torch.ones(1, 1)
        two = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
        while len(matrix) < side:
            matrix = torch.kron(two, matrix)
        return matrix.to(dtype).to(device)
