"""Weights as one vector a replicate, and back by name. The order is the network's."""

import math
from itertools import groupby

import torch

Shapes = dict[str, tuple[int, ...]]


def flatten(weights: dict[str, torch.Tensor], shapes: Shapes) -> torch.Tensor:
    """One vector from one replicate's tensors."""
    return torch.cat([weights[name].reshape(-1) for name in shapes])


def unflatten(flat: torch.Tensor, shapes: Shapes) -> dict[str, torch.Tensor]:
    """Views of the last axis, by name; leading axes stay."""
    pieces = flat.split([math.prod(shape) for shape in shapes.values()], dim=-1)
    return {n: piece.unflatten(-1, shape) for (n, shape), piece in zip(shapes.items(), pieces, strict=True)}


def layers(shapes: Shapes) -> list[int]:
    """How many weights and biases each layer has: neighbours whose names begin alike."""
    named = groupby(shapes.items(), key=lambda item: item[0].rpartition(".")[0])
    return [total(dict(held)) for _, held in named]


def total(shapes: Shapes) -> int:
    """How many numbers there are."""
    return sum(map(math.prod, shapes.values()))
