"""What a mask leaves connected: in-degrees, dead units, and the weights that lie on a path from input to output."""

from typing import Any

import torch


def connectivity(mask: dict[str, torch.Tensor]) -> list[dict[str, Any]]:
    """One row a layer of a chain of masks (out, in).

    `dead` counts units that no path from an input reaches or that reach no output: their pre-activation is a
    constant or is never read. `path_density` is the part of all weights that lies on a path from input to output.
    """
    masks = list(mask.values())
    fed = reached(masks)
    read = reached([layer.T for layer in reversed(masks)])[::-1]
    return [row(*facts) for facts in zip(mask, masks, fed[:-1], fed[1:], read[1:], strict=True)]


def reached(masks: list[torch.Tensor]) -> list[torch.Tensor]:
    """For each layer of units, the inputs first: which have a path from the first layer."""
    alive = [torch.ones(masks[0].shape[1], dtype=torch.bool)]
    for layer in masks:
        alive.append((layer & alive[-1]).any(dim=1))
    return alive


def row(name: str, mask: torch.Tensor, fed: torch.Tensor, lit: torch.Tensor, read: torch.Tensor) -> dict[str, Any]:
    degree = mask.sum(dim=1)
    on_path = mask & fed & read.unsqueeze(1)
    return {
        "layer": name,
        "kept": int(mask.sum()),
        "layer_density": mask.float().mean().item(),
        "in_degree_mean": degree.float().mean().item(),
        "in_degree_std": degree.float().std(correction=0).item(),
        "in_degree_min": int(degree.min()),
        "in_degree_max": int(degree.max()),
        "dead": int((~(lit & read)).sum()),
        "path_density": on_path.float().mean().item(),
    }
