"""The principal directions of a training trajectory: lottery subspaces (Larsen et al. 2022)."""

import torch

from rmtlottery.refusal import Refusal

ROUNDING = 1e-6  # of the largest singular value, below which a direction is rounding in fp32


def principal_directions(trajectory: torch.Tensor) -> torch.Tensor:
    """Orthonormal rows (k, D), from points of a trajectory (T, D): the right singular vectors of the steps from its first
    point, not of the distances from its mean, the longest first.

    By the Gram matrix of T x T numbers in float64. So the first d of them span the d dimensions through the first point that
    are nearest to all others.
    """
    moved = steps(trajectory)
    lengths, vectors = singular(moved)
    rows = (vectors / lengths).T @ moved
    return torch.linalg.qr(rows.flip(0).T)[0].T.float()


def dimensions(trajectory: torch.Tensor) -> int:
    """How many principal directions there are, without finding them."""
    return len(singular(steps(trajectory))[0])


def steps(trajectory: torch.Tensor) -> torch.Tensor:
    """From the first point to each of the others."""
    if len(trajectory) < 2:
        raise Refusal(f"a trajectory of {len(trajectory)} points has no directions; record snapshots of more steps")
    return (trajectory[1:] - trajectory[0]).double()


def singular(moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The singular values of the steps that are more than rounding, the least first, and their left vectors as columns."""
    values, vectors = torch.linalg.eigh(moved @ moved.T)
    lengths = values.clamp(min=0).sqrt()
    if not lengths[-1] > 0:
        raise Refusal("the trajectory never left its first point, and has no directions")
    kept = lengths > ROUNDING * lengths[-1]
    return lengths[kept], vectors[:, kept]
