"""What the places of the nonzeros alone decide of a matrix: rank, blocks, a smallest singular value of 0."""

from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

Places = NDArray[np.intp]


def structural_rank(pattern: ArrayLike) -> int:
    """The rank of almost every matrix with these nonzeros: the size of a maximum matching of rows with columns.

    Empty rows and columns alone overrate it: 2.6 nonzeros a row of 256 allow about 233, and the rank is about 223.
    """
    return int(np.count_nonzero(row_partners(graph(pattern)) >= 0))


def connected_blocks(pattern: ArrayLike) -> list[tuple[Places, Places]]:
    """(rows, columns) of the blocks to which permutations of rows and of columns bring the matrix; empty ones left out."""
    held = np.asarray(pattern) != 0
    rows, columns = held.shape
    i, j = np.nonzero(held)
    edges = csr_array((np.ones(len(i)), (i, rows + j)), shape=(rows + columns, rows + columns))
    _, label = connected_components(edges, directed=False)
    row_label, column_label = label[:rows], label[rows:]
    used = np.unique(row_label[i])
    return [(np.flatnonzero(row_label == name), np.flatnonzero(column_label == name)) for name in used]


def has_gap_at_zero(pattern: ArrayLike) -> bool:
    """Whether every k rows reach k + 1 columns or more: only then do the eigenvalues of a large W W^T keep away from 0.

    After a maximum matching, it is whether every row is on an alternating path from a column that has no partner.
    """
    held = graph(pattern)
    partner = row_partners(held)
    if np.any(partner < 0):
        return False
    by_column = held.tocsc()
    columns = deque(np.setdiff1d(np.arange(held.shape[1]), partner))
    reached = np.zeros(held.shape[0], bool)
    while columns:
        column = columns.popleft()
        rows = by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]]
        new = rows[~reached[rows]]
        reached[new] = True
        columns.extend(partner[new])
    return bool(reached.all())


def graph(pattern: ArrayLike) -> csr_array:
    held = np.asarray(pattern)
    if held.ndim != 2 or not held.size:
        raise ValueError(f"a pattern of shape {held.shape} has no rows and columns to match: give a matrix of some size")
    return csr_array(held != 0)


def row_partners(held: csr_array) -> Places:
    """The column each row is matched with, -1 for none."""
    return np.asarray(maximum_bipartite_matching(held, perm_type="column"))
