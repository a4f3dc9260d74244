"""Several projections into the same weights: sums of affine charts, for several subnets in one weight vector."""

from collections.abc import Sequence

import torch

from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.refusal import Refusal


class Beside(Projection):
    """[A_1 A_2 ...]: w = w_0 + sum_k A_k x_k."""

    kind = "beside"
    nested = False

    def __init__(self, parts: Sequence[Projection]) -> None:
        if len({part.ambient for part in parts}) != 1:
            raise Refusal(f"{[*parts]} do not move the same number of weights")
        self.parts = tuple(parts)
        super().__init__(parts[0].ambient, sum(part.dim for part in parts), parts[0].seed)

    def draw(self) -> Held:
        return {}

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        pieces = theta.split([part.dim for part in self.parts], 1)
        return torch.stack([part.apply(piece) for part, piece in zip(self.parts, pieces, strict=True)]).sum(0)

    def back(self, g: torch.Tensor) -> torch.Tensor:
        return torch.cat([part.adjoint(g) for part in self.parts], 1)

    def to(self, device: torch.device | str) -> "Beside":
        return Beside([part.to(device) for part in self.parts])

    def witness(self) -> Held:
        return {f"{place}/{n}": value for place, part in enumerate(self.parts) for n, value in part.witness().items()}
