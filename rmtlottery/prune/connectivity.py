"""What a mask leaves connected: in-degrees, dead units, and the weights that lie on a path from input to output.

A unit of a convolution is a channel, connected to another where any weight of their kernel is kept: borders are not
looked at.
"""

from typing import Any

import torch


def left(mask: dict[str, torch.Tensor], chain: bool) -> dict[str, Any]:
    """What a record says of a mask: [kept, all] of each layer, the density, and a row of connectivity a layer."""
    kept = {name: [int(layer.sum()), layer.numel()] for name, layer in mask.items()}
    density = sum(k for k, _ in kept.values()) / sum(n for _, n in kept.values())
    return {"kept": kept, "density": density, "connectivity": connectivity(mask, chain)}


def connectivity(mask: dict[str, torch.Tensor], chain: bool = True) -> list[dict[str, Any]]:
    """One row a layer, of masks (out, in, ...); of a chain of them, what is dead and what lies on a path too.

    `dead` counts units that no path from an input reaches or that reach no output: their pre-activation is a
    constant or is never read. `path_density` is the part of all weights that lies on a path from input to output.
    """
    rows = [degrees(name, layer) for name, layer in mask.items()]
    return [row | facts for row, facts in zip(rows, paths(list(mask.values())), strict=True)] if chain else rows


def degrees(name: str, mask: torch.Tensor) -> dict[str, Any]:
    degree = mask.flatten(1).sum(dim=1)
    return {
        "layer": name,
        "kept": int(mask.sum()),
        "layer_density": mask.float().mean().item(),
        "in_degree_mean": degree.float().mean().item(),
        "in_degree_std": degree.float().std(correction=0).item(),
        "in_degree_min": int(degree.min()),
        "in_degree_max": int(degree.max()),
    }


def paths(masks: list[torch.Tensor]) -> list[dict[str, Any]]:
    """Of every layer of a chain: its dead units, and the part of its weights on a path."""
    joined = [mask.flatten(2).any(2) if mask.dim() > 2 else mask for mask in masks]
    fed = reached(joined)
    read = reached([layer.T for layer in reversed(joined)])[::-1]
    return [on_path(*facts) for facts in zip(masks, fed[:-1], fed[1:], read[1:], strict=True)]


def on_path(mask: torch.Tensor, fed: torch.Tensor, lit: torch.Tensor, read: torch.Tensor) -> dict[str, Any]:
    """`fed` and `lit`: which inputs and which units have a path from the first layer; `read`: which have one to the last."""
    sources = as_many(fed, mask.shape[1])[(..., *[None] * (mask.dim() - 2))]
    targets = as_many(read, mask.shape[0])[(..., *[None] * (mask.dim() - 1))]
    alive = as_many(lit, mask.shape[0]) & as_many(read, mask.shape[0])
    return {"dead": int((~alive).sum()), "path_density": (mask & sources & targets).float().mean().item()}


def reached(masks: list[torch.Tensor]) -> list[torch.Tensor]:
    """For each layer of units, the first ones first: which have a path from the first layer."""
    alive = [torch.ones(masks[0].shape[1], dtype=torch.bool)]
    for layer in masks:
        alive.append((layer & as_many(alive[-1], layer.shape[1])).any(dim=1))
    return alive


def as_many(units: torch.Tensor, number: int) -> torch.Tensor:
    """Channels as the pixels they were flattened to, or pixels as the channels they make up."""
    if number >= len(units):
        return units.repeat_interleave(number // len(units))
    return units.unflatten(0, (number, -1)).any(1)
