"""A synthetic task: pairs of a key and a value are shown, then one of the keys; what stood beside it?"""

import numpy as np
import torch

from rmtlottery.datasets.dataset import Dataset, assemble, every_fifth
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Recall
from rmtlottery.tickets.streams import generator


def recall(data: Recall) -> Dataset:
    """A place for each pair, one-hot key beside one-hot value, and a last place with a key alone."""
    if data.pairs > data.keys:
        raise Refusal(f"pairs = {data.pairs} cannot have {data.keys} keys, each once; take more keys or fewer pairs")
    keys, values, asked = sequences(data)
    rows = np.arange(data.samples)
    answers = renamed(data)[values[rows, asked]]
    x = np.zeros((data.samples, data.pairs + 1, data.keys + data.values), np.float32)
    x[:, :-1, : data.keys] = np.eye(data.keys)[keys]
    x[:, :-1, data.keys :] = np.eye(data.values)[values]
    x[rows, -1, keys[rows, asked]] = 1
    split = every_fifth(torch.from_numpy(x).flatten(1), torch.from_numpy(answers))
    return assemble(*split, shape=x.shape[1:], classes=data.values, validation=data.validation)


def sequences(data: Recall) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys and values of each sample's pairs, and which pair is asked for; of more samples these are the first."""
    stream = generator(0, "recall", data.pairs, data.keys, data.values)
    drawn = stream.random((data.samples, data.keys + data.pairs + 1))
    keys = drawn[:, : data.keys].argsort(1)[:, : data.pairs]
    values = (drawn[:, data.keys : -1] * data.values).astype(np.int64)
    return keys, values, (drawn[:, -1] * data.pairs).astype(np.int64)


def renamed(data: Recall) -> np.ndarray:
    """value -> answer."""
    if data.renaming == 0:
        return np.arange(data.values)
    return generator(data.renaming, "recall renaming", data.values).permutation(data.values)
