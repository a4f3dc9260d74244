"""A synthetic task: Gaussian inputs, labelled by a random tanh net with one hidden layer."""

import math

import torch

from rmtlottery.datasets.dataset import Dataset, assemble, every_fifth
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Teacher
from rmtlottery.tickets.streams import generator

HIDDEN = 64


def teacher(data: Teacher) -> Dataset:
    """Labels are the largest of the teacher's outputs, each centred over the samples so that no class is empty."""
    stream = generator(data.teacher_seed, "teacher", data.inputs, data.classes)
    first = torch.randn(data.inputs, HIDDEN, generator=stream) / math.sqrt(data.inputs)
    second = torch.randn(HIDDEN, data.classes, generator=stream)
    x = torch.randn(data.samples, data.inputs, generator=stream)
    outputs = torch.tanh(x @ first) @ second
    y = (outputs - outputs.mean(0)).argmax(1)
    if data.samples < 5 * data.classes:
        raise Refusal(f"samples = {data.samples} is too few for {data.classes} classes; take at least {5 * data.classes}")
    return assemble(*every_fifth(x, y), classes=data.classes, validation=data.validation)
