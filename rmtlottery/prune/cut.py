"""How many weights a cut removes, and which, exactly."""

from fractions import Fraction

import torch

from rmtlottery.refusal import Refusal


def removed(remaining: int, rate: float) -> int:
    """round(rate * remaining), halves to even, with the rate as the exact decimal that was written."""
    return round(Fraction(repr(rate)) * remaining)


def cut(scores: torch.Tensor, mask: torch.Tensor, rate: float) -> torch.Tensor:
    """`mask` without the lowest-scored `rate` of its weights; among equal scores the lower index goes first."""
    kept = mask.reshape(-1).nonzero().squeeze(1)
    order = torch.argsort(scores.reshape(-1)[kept].float(), stable=True)
    smaller = mask.reshape(-1).clone()
    smaller[kept[order[: removed(len(kept), rate)]]] = False
    return smaller.reshape(mask.shape)


def rates(layers: list[str], rate: float, last_rate: float) -> dict[str, float]:
    """The rate of each prunable layer; the last one, the read-out, has its own."""
    return {name: last_rate if name == layers[-1] else rate for name in layers}


def counts(size: int, rate: float, levels: int) -> list[int]:
    """Weights that a layer keeps at level 0, 1, ..., levels."""
    kept = [size]
    for _ in range(levels):
        kept.append(kept[-1] - removed(kept[-1], rate))
    return kept


def check_survivors(sizes: dict[str, int], rate_of: dict[str, float], levels: int) -> None:
    """Refuses, before anything is trained, a plan that would empty a layer; the layer emptied first is named."""
    kept = {name: counts(size, rate_of[name], levels) for name, size in sizes.items()}
    emptied = {name: course.index(0) for name, course in kept.items() if 0 in course}
    if emptied:
        name = min(emptied, key=emptied.__getitem__)
        raise Refusal(
            f"density 0 in {name}: {rate_of[name]:g} a cut leaves none of its {sizes[name]} weights at level "
            f"{emptied[name]}; take levels below {emptied[name]} or a lower rate"
        )
