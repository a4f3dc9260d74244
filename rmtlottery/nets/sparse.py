"""Layers of a fully connected chain of which few weights are left: what is pruned is neither multiplied nor stored.

Signals are (seeds, samples, units) as everywhere, but stand unit by unit in memory: a kept weight meets whole rows.
"""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.sparse import sampled_addmm

from rmtlottery.nets.activation import PHI
from rmtlottery.nets.backprop import Signal


class Pattern(NamedTuple):
    """The kept weights of one seed's layer, row by row and, by `turn`, column by column, as CSR counts them."""

    shape: tuple[int, int]
    rows: torch.Tensor
    columns: torch.Tensor
    turned: torch.Tensor
    turned_rows: torch.Tensor
    turned_columns: torch.Tensor

    @classmethod
    def of(cls, mask: torch.Tensor) -> "Pattern":
        row, column = mask.nonzero(as_tuple=True)
        turned, (rows, columns) = torch.argsort(column, stable=True), mask.shape
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")  # said once, of the first
            csr(starts(row, rows), column.int(), torch.empty(len(row)), (rows, columns))
        return cls((rows, columns), starts(row, rows), column.int(), turned, starts(column, columns), row[turned].int())

    def matrix(self, values: torch.Tensor) -> torch.Tensor:
        """W, of its values; it follows them when they change."""
        return csr(self.rows, self.columns, values, self.shape)

    def transpose(self, values: torch.Tensor) -> torch.Tensor:
        rows, columns = self.shape
        return csr(self.turned_rows, self.turned_columns, values.index_select(0, self.turned), (columns, rows))


def csr(rows: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return torch.sparse_csr_tensor(rows, columns, values, shape, check_invariants=False)


def starts(place: torch.Tensor, number: int) -> torch.Tensor:
    """Where each of so many rows begins, from the row of every entry."""
    counts = torch.bincount(place, minlength=number)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)]).int()


@dataclass(frozen=True)
class Sparse:
    """One layer: of each seed a pattern, views of its kept weights and its bias, and of where their gradients go."""

    patterns: list[Pattern]
    weight: list[torch.Tensor]
    bias: list[torch.Tensor]
    weight_slope: list[torch.Tensor]
    bias_slope: list[torch.Tensor]

    def forward(self, x: torch.Tensor, phi: str) -> Signal:
        h = x.new_empty(len(self.bias), self.patterns[0].shape[0], x.shape[1])
        for seed, (pattern, bias) in enumerate(zip(self.patterns, self.bias, strict=True)):
            seen = x[seed if len(x) > 1 else 0]
            torch.addmm(bias.unsqueeze(1), pattern.matrix(self.weight[seed]), seen.T, out=h[seed])
        return Signal(h.mT, PHI[phi](h).mT)

    def back(self, delta: torch.Tensor) -> torch.Tensor:
        found = delta.new_empty(len(delta), self.patterns[0].shape[1], delta.shape[1])
        for seed, pattern in enumerate(self.patterns):
            torch.mm(pattern.transpose(self.weight[seed]), delta[seed].T, out=found[seed])
        return found.mT

    def write(self, delta: torch.Tensor, x: torch.Tensor) -> None:
        for seed, pattern in enumerate(self.patterns):
            slope = pattern.matrix(self.weight_slope[seed].zero_())  # beta = 0 would keep a NaN that stood here
            sampled_addmm(slope, delta[seed].T, x[seed], out=slope)
            torch.sum(delta[seed], 0, out=self.bias_slope[seed])
