"""Weights as one vector a replicate, and back by name. The order is the network's."""

import math

import torch

Shapes = dict[str, tuple[int, ...]]


def flatten(weights: dict[str, torch.Tensor], shapes: Shapes) -> torch.Tensor:
    """One vector from one replicate's tensors."""
    return torch.cat([weights[name].reshape(-1) for name in shapes])


def unflatten(flat: torch.Tensor, shapes: Shapes) -> dict[str, torch.Tensor]:
    """Views of the last axis, by name; leading axes stay."""
    pieces = flat.split([math.prod(shape) for shape in shapes.values()], dim=-1)
    return {n: piece.unflatten(-1, shape) for (n, shape), piece in zip(shapes.items(), pieces, strict=True)}
