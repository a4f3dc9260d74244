"""A synthetic task: Gaussian inputs, labelled by a random tanh net with one hidden layer."""

import numpy as np
import torch

from rmtlottery.datasets.dataset import Dataset, assemble, every_fifth
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Teacher
from rmtlottery.tickets.streams import generator

HIDDEN = 64


def teacher(data: Teacher) -> Dataset:
    """Labels are the largest of the teacher's outputs; a teacher that leaves a class empty is refused."""
    stream = generator(data.teacher_seed, "teacher", data.inputs, data.classes)
    first = stream.standard_normal((data.inputs, HIDDEN)) / np.sqrt(data.inputs)
    second = stream.standard_normal((HIDDEN, data.classes))
    x = stream.standard_normal((data.samples, data.inputs))
    y = (np.tanh(x @ first) @ second).argmax(1)
    filled = len(np.unique(y))
    if filled < data.classes:
        raise Refusal(
            f"teacher {data.teacher_seed} fills {filled} of {data.classes} classes with {data.samples} samples of "
            f"{data.inputs} inputs; take more samples or inputs, fewer classes or another teacher_seed"
        )
    split = every_fifth(torch.from_numpy(x).float(), torch.from_numpy(y))
    return assemble(*split, shape=(data.inputs,), classes=data.classes, validation=data.validation)
