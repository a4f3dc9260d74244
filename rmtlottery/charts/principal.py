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
    if len(trajectory) < 2:
        raise Refusal(f"a trajectory of {len(trajectory)} points has no directions; record snapshots of more steps")
    moved = (trajectory[1:] - trajectory[0]).double()
    values, vectors = torch.linalg.eigh(moved @ moved.T)
    lengths = values.clamp(min=0).sqrt()
    if not lengths[-1] > 0:
        raise Refusal("the trajectory never left its first point, and has no directions")
    kept = lengths > ROUNDING * lengths[-1]
    rows = (vectors[:, kept] / lengths[kept]).T @ moved
    return torch.linalg.qr(rows.flip(0).T)[0].T.float()
