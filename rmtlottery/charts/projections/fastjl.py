"""The fast Johnson-Lindenstrauss transform: a sparse Gaussian matrix that a Walsh-Hadamard transform spreads."""

from functools import partial
from math import log

import numpy as np
import torch
from torch.nn.functional import pad

from rmtlottery.charts.hadamard import hadamard, power_of_two
from rmtlottery.charts.projections import columns
from rmtlottery.charts.projections.projection import Held, Projection
from rmtlottery.tickets.streams import generator

POINTS = 60000  # whose distances are to be kept: as many as MNIST has samples


class FastJL(Projection):
    """The first D rows of D_r H P_s^T diag(1/|P_s,k|) / sqrt(D), the adjoint of Ailon and Chazelle's map (2006).

    Their Phi = P_s H D_r takes weights to coordinates. An entry of P_s is there with probability q = min(ln^2 N / L, 1),
    and then of variance 1/q, where L is the size of what is mapped, not of what it is mapped to: some 120 entries a
    column. H is of side L, unnormalised; D_r are signs; |P_s,k| is the length of row k of P_s.
    """

    kind = "fastjl"
    implicit = True

    @property
    def side(self) -> int:
        return power_of_two(self.ambient)

    @property
    def density(self) -> float:
        return min(log(POINTS) ** 2 / self.side, 1.0)

    @property
    def size(self) -> int:
        return columns.size(self.density * self.side * self.dim, self.side) + 32 * self.side

    def draw(self) -> Held:
        purpose = (self.seed, "projection", self.kind, self.ambient)
        stream = generator(*purpose, "signs")
        signs = torch.from_numpy(2 * stream.integers(2, size=self.ambient) - 1).float()
        return {"signs": signs} | columns.drawn(self.side, self.dim, self.density, self.values(), *purpose)

    def values(self) -> columns.Column:
        return partial(of_length, self.ambient**-0.5)

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        return hadamard(columns.times(self.held, theta).contiguous())[:, : self.ambient] * self.held["signs"]

    def back(self, g: torch.Tensor) -> torch.Tensor:
        padded = pad(g * self.held["signs"], (0, self.side - self.ambient))
        return columns.transposed_times(self.held, hadamard(padded))


class GargiuloFastJL(FastJL):
    """As Gargiulo (2023) writes it: q = 2 ln^2 N / d, over the number of coordinates, and entries of variance q^(-1/3).

    No column is normalised: their square lengths are q^(2/3) in expectation, so that the length of a step falls with d
    beyond 2 ln^2 N = 242. It holds 242 L numbers whatever d is, and, as q depends on d, it is not nested. (The report has q
    as the probability of 0, by which nothing would be left up to d = 242; here it is that of an entry.)
    """

    kind = "fastjl_gargiulo"
    nested = False
    implicit = False

    @property
    def density(self) -> float:
        return min(2 * log(POINTS) ** 2 / self.dim, 1.0)

    def values(self) -> columns.Column:
        return partial(gaussian, self.density ** (-1 / 6) / (self.side * self.ambient) ** 0.5)


def of_length(length: float, stream: np.random.Generator, number: int) -> np.ndarray:
    drawn = stream.standard_normal(number)
    return length * drawn / np.linalg.norm(drawn)


def gaussian(std: float, stream: np.random.Generator, number: int) -> np.ndarray:
    return std * stream.standard_normal(number)
