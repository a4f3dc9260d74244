"""How many weights a cut removes, and which, exactly."""

from fractions import Fraction

import torch

from rmtlottery.refusal import Refusal

Tensors = dict[str, torch.Tensor]


def removed(remaining: int, rate: float) -> int:
    """round(rate * remaining), halves to even, with the rate as the exact decimal that was written."""
    return round(Fraction(repr(rate)) * remaining)


def without_lowest(scores: torch.Tensor, mask: torch.Tensor, number: int) -> torch.Tensor:
    """`mask` without its `number` lowest-scored weights; among equal scores the lower index goes first."""
    kept = mask.reshape(-1).nonzero().squeeze(1)
    held = scores.reshape(-1)[kept]
    check_numbers(held)
    exact = held if held.dtype == torch.float64 else held.float()
    smaller = mask.reshape(-1).clone()
    smaller[kept[torch.argsort(exact, stable=True)[:number]]] = False
    return smaller.reshape(mask.shape)


def check_numbers(scores: torch.Tensor) -> None:
    if missing := int(scores.isnan().sum()):
        raise Refusal(f"{missing} of {len(scores)} scores are no numbers, and nothing can be ranked by them")


def cut_layers(scores: Tensors, masks: Tensors, gone: dict[str, int]) -> Tensors:
    """Every layer by itself; one that `gone` does not name loses nothing."""
    return {name: without_lowest(scores[name], mask, gone.get(name, 0)) for name, mask in masks.items()}


def cut_together(scores: Tensors, masks: Tensors, ranked: list[str], gone: int) -> Tensors:
    """One ranking of some layers, each of which keeps at least its best weight."""
    flat = torch.cat([best_last(scores[name].reshape(-1), masks[name].reshape(-1)) for name in ranked])
    smaller = without_lowest(flat, torch.cat([masks[name].reshape(-1) for name in ranked]), gone)
    pieces = smaller.split([masks[name].numel() for name in ranked])
    return masks | {name: piece.reshape(masks[name].shape) for name, piece in zip(ranked, pieces, strict=True)}


def best_last(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The scores, with that of the best weight that is left, among equals the last, raised above all others."""
    check_numbers(scores[mask])
    raised = scores.clone()
    raised[len(scores) - 1 - torch.where(mask, scores, -torch.inf).flip(0).argmax()] = torch.inf
    return raised


def in_rounds(remaining: int, rate: float, rounds: int) -> list[int]:
    """Weights left after each of several rounds that together are one cut: in geometric progression (Tanaka et al. 2020)."""
    end = remaining - removed(remaining, rate)
    return [round(remaining * (end / remaining) ** (turn / rounds)) for turn in range(1, rounds)] + [end]


def counts(size: int, rate: float, levels: int) -> list[int]:
    """Weights that a layer keeps at level 0, 1, ..., levels."""
    kept = [size]
    for _ in range(levels):
        kept.append(kept[-1] - removed(kept[-1], rate))
    return kept
