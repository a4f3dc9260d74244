"""Rank by matching, blocks and the gap at zero, against ranks and singular values of random matrices."""

import numpy as np
import pytest

from rmtlottery.spectra.structure import connected_blocks, has_gap_at_zero, structural_rank


def mask(seed, shape, density):
    return np.random.default_rng(seed).random(shape) < density


def filled(pattern, seed=5):
    return np.where(pattern, np.random.default_rng(seed).standard_normal(np.shape(pattern)), 0.0)


@pytest.mark.parametrize(("shape", "density"), [((256, 256), 0.01), ((120, 200), 0.012), ((90, 40), 0.05), ((7, 9), 1.0)])
def test_rank_is_that_of_a_random_matrix(shape, density):
    pattern = mask(1, shape, density)
    rank = np.linalg.matrix_rank(filled(pattern))
    assert structural_rank(pattern) == rank


def test_empty_rows_and_columns_overrate_the_rank():
    pattern = mask(1, (256, 256), 0.01)
    assert structural_rank(pattern) < min(pattern.any(axis=0).sum(), pattern.any(axis=1).sum()) - 3


def test_blocks_hold_every_nonzero_once_and_nothing_empty():
    pattern = mask(3, (60, 90), 0.012)
    pattern[7], pattern[:, 11] = False, False
    together = np.zeros(pattern.shape, int)
    for rows, columns in connected_blocks(pattern):
        part = pattern[np.ix_(rows, columns)]
        assert part.any(axis=0).all()
        assert part.any(axis=1).all()
        assert len(connected_blocks(part)) == 1
        together[np.ix_(rows, columns)] += 1
    assert np.all(together[pattern] == 1)
    assert together.max() == 1
    assert len(connected_blocks(pattern)) > 5


def test_blocks_survive_a_permutation():
    held = np.kron(np.eye(3), np.ones((2, 4)))[:, np.random.default_rng(0).permutation(12)]
    assert [(len(rows), len(columns)) for rows, columns in connected_blocks(held)] == [(2, 4)] * 3


@pytest.mark.parametrize(
    ("pattern", "gap"),
    [
        (np.ones((3, 4)), True),
        (np.ones((4, 4)), False),
        (np.ones((4, 3)), False),
        ([[1, 1, 0], [0, 1, 1]], True),
        ([[1, 0, 0], [1, 1, 1]], False),  # one row has but one column
        ([[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 1]], False),  # two rows have but two
        ([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 1]], True),
    ],
)
def test_gap_needs_more_columns_than_rows_everywhere(pattern, gap):
    """Each place made a block of 40 x 40, the smallest singular value is near 0 or far from it."""
    assert has_gap_at_zero(pattern) is gap
    W = filled(np.kron(pattern, np.ones((40, 40)))) / np.sqrt(40)
    smallest = np.linalg.eigvalsh(W @ W.T)[0]
    assert (smallest > 0.02) if gap else (smallest < 0.002)


@pytest.mark.parametrize("wrong", [np.ones(3), np.ones((0, 4))])
def test_no_matrix_is_refused(wrong):
    with pytest.raises(ValueError, match="no rows and columns to match"):
        structural_rank(wrong)
