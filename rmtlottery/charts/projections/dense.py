"""Gaussian columns, each divided by its length."""

import numpy as np
import torch

from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.tickets.streams import generator

TOGETHER = 64  # columns from one stream


class Dense(Projection):
    """P_ij ~ N(0, 1), columns then normalised: uniform directions, nearly orthogonal (|P x|^2 varies by 2/D)."""

    kind = "dense"
    together = True

    @property
    def size(self) -> int:
        return 8 * self.ambient * self.dim

    def draw(self) -> Held:
        columns = gaussian(self)
        return {"columns": torch.from_numpy(columns).div_(torch.from_numpy(columns).norm(dim=1, keepdim=True))}

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        return theta @ self.held["columns"]

    def back(self, g: torch.Tensor) -> torch.Tensor:
        return (self.held["columns"] @ g.T).T

    def witness(self) -> Held:
        return ends(self)


class Orthonormal(Dense):
    """The same columns made orthonormal one after another, by QR: a uniform subspace, and |P x| = |x| exactly."""

    kind = "orthonormal"
    law = "orthonormal"

    @property
    def size(self) -> int:
        return 4 * super().size

    def draw(self) -> Held:
        q, r = torch.linalg.qr(torch.from_numpy(gaussian(self)).T)
        return {"columns": (q * r.diagonal().sign()).T.contiguous()}


def gaussian(projection: Projection) -> np.ndarray:
    """(d, D), a column of P a row."""
    found = np.empty((projection.dim, projection.ambient), np.float32)
    for first in range(0, projection.dim, TOGETHER):
        stream_of(projection, first).standard_normal(dtype=np.float32, out=found[first : first + TOGETHER])
    return found


def stream_of(projection: Projection, column: int) -> np.random.Generator:
    return generator(projection.seed, "projection", "dense", projection.ambient, column // TOGETHER)


def ends(projection: Projection) -> Held:
    """The first column before it is normalised, and the first that its last stream draws."""
    drawn = (
        stream_of(projection, at).standard_normal(projection.ambient, dtype=np.float32) for at in (0, projection.dim - 1)
    )
    return dict(zip(("first", "last"), map(torch.from_numpy, drawn), strict=True))
