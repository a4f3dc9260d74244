"""The order of the data: a function of (seed, level, epoch) and of nothing else, so that any step can be addressed."""

import torch

from rmtlottery.tickets.streams import generator


def epoch_order(seed: int, level: int, epoch: int, size: int) -> torch.Tensor:
    """A permutation of the training set."""
    return torch.from_numpy(generator(seed, "order", level, epoch).permutation(size))
