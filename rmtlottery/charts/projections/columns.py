"""A matrix of few entries, drawn column by column, that multiplies from either side."""

import warnings
from collections.abc import Callable

import numpy as np
import torch

from rmtlottery.tickets.streams import generator

Column = Callable[[np.random.Generator, int], np.ndarray]
Held = dict[str, torch.Tensor]
Parts = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def drawn(rows: int, columns: int, density: float, values: Column, *purpose: object) -> Held:
    """Each entry is there with probability `density`, at least one a column, of values (stream, how many).

    Compressed by rows and by columns, so that products from either side read it in order. Each column has a stream.
    """
    places, entries = [], []
    for column in range(columns):
        stream = generator(*purpose, column)  # type: ignore[arg-type]
        number = max(1, int(stream.binomial(rows, density)))
        places.append(np.sort(stream.choice(rows, number, replace=False, shuffle=False)))
        entries.append(values(stream, number).astype(np.float32))
    counts = [len(place) for place in places]
    row, entry = torch.from_numpy(np.concatenate(places)), torch.from_numpy(np.concatenate(entries))
    order = torch.argsort(row, stable=True)
    column_of = torch.repeat_interleave(torch.arange(columns), torch.tensor(counts))
    return {
        "starts": starts(torch.bincount(row, minlength=rows)),
        "columns": column_of[order].int(),
        "values": entry[order],
        "turned_starts": starts(torch.tensor(counts)),
        "rows": row.int(),
        "turned_values": entry,
    }


def size(entries: float, rows: int) -> int:
    """Bytes that it takes to make a matrix of so many entries and rows."""
    return round(64 * entries) + 32 * rows


def starts(counts: torch.Tensor) -> torch.Tensor:
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)]).int()


def times(held: Held, x: torch.Tensor) -> torch.Tensor:
    """M x of each row of x."""
    return product((held["starts"], held["columns"], held["values"]), (len(held["starts"]) - 1, x.shape[1]), x)


def transposed_times(held: Held, x: torch.Tensor) -> torch.Tensor:
    """M^T x of each row of x."""
    parts = (held["turned_starts"], held["rows"], held["turned_values"])
    return product(parts, (len(held["turned_starts"]) - 1, x.shape[1]), x)


def product(parts: Parts, shape: tuple[int, int], x: torch.Tensor) -> torch.Tensor:
    starts, places, values = parts
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")  # said once, of the first
        matrix = torch.sparse_csr_tensor(starts, places, values, shape, check_invariants=False)
    if len(x) == 1:
        return (matrix @ x[0]).unsqueeze(0)
    return (matrix @ x.T).T
