"""Fastfood, (1/c) H G Pi H B: the factors one by one, Gaussian entries, and every coordinate in every layer."""

import math

import numpy as np
import pytest
import torch

from rmtlottery.charts.hadamard import hadamard
from rmtlottery.charts.projections import projection
from tests.charts.projections.matrices import (
    WEIGHTS,
    Given,
    assert_every_coordinate_reaches,
    assert_fourth_moment_of_a_sphere,
    columns_of,
    drawn,
    gains,
    matrix,
)
from tests.conftest import assert_mean

both = pytest.mark.parametrize("kind", ["fastfood", "fastfood_block"])


def inner(kind, seeds=range(120)):
    """(1/c) G Pi H B of D = d = L = 64, (seeds, j, k): H taken off again, and what it multiplies lengths with."""
    return hadamard(drawn(kind, 64, 64, seeds).transpose(1, 2)).transpose(1, 2) / 8


@both
def test_without_the_outer_hadamard_matrix_a_row_has_one_modulus(kind):
    """That of G: all entries of Pi H B are signs."""
    size = inner(kind).abs()
    torch.testing.assert_close(size, size.mean(2, keepdim=True).expand_as(size), rtol=0, atol=2e-6)


@both
def test_the_moduli_are_gaussian(kind):
    """|G| over its length is uniform on the sphere, signs left out; its squares do not repeat."""
    assert_fourth_moment_of_a_sphere(inner(kind).abs().mean(2), 64, rejects=2.3)
    assert min(len(set(row.tolist())) for row in inner(kind).abs().mean(2).mul(1e5).round()) > 55


@both
def test_the_signs_are_the_rows_of_a_hadamard_matrix_in_some_order_with_signs_for_columns(kind):
    signs = inner(kind).sign()
    torch.testing.assert_close(signs @ signs.transpose(1, 2), 64 * torch.eye(64).double().expand(120, 64, 64))
    against = signs * signs[:, :1]
    against = against * against[:, :, :1]
    rows = {tuple(row) for row in hadamard(torch.eye(64)).int().tolist()}
    assert all({tuple(row) for row in square.int().tolist()} == rows for square in against)


@both
def test_the_order_is_drawn(kind):
    """pi(1) xor pi(0), read off the signs at powers of two, is uniform over 1..63; it is 1 if there is no Pi."""
    signs = inner(kind).sign()
    ratio = signs[:, 1] * signs[:, 0]
    ratio = ratio * ratio[:, :1]
    place = sum(2**bit * (ratio[:, 2**bit] < 0).double() for bit in range(6))
    assert_mean(place.numpy(), 32, rejects=16)


@both
def test_signs_of_the_columns_are_drawn(kind):
    """Without B all inner products of one difference would add up in |P 1|^2: four times the variance at d = 8."""
    expected = 4 / 66 * 7 / 8
    assert_mean((gains(drawn(kind, 64, 8), torch.ones(8)) - 1) ** 2, expected, rejects=2 * expected)


@both
def test_inner_products_depend_on_the_difference_of_columns_alone(kind):
    rows = drawn(kind, 64, 64, range(120))[0]
    gram = (rows.T @ rows).abs()
    j = torch.arange(64)
    torch.testing.assert_close(gram, gram[0][j[:, None] ^ j], rtol=0, atol=3e-6)


@both
def test_entries_look_gaussian(kind):
    """Each is a coordinate of a uniform direction in L = 512 dimensions, over sqrt(D/L): its kurtosis is 3 L/(L + 2)."""
    rows = drawn(kind, 300, 20)
    assert_fourth_moment_of_a_sphere(rows * (300 / 512) ** 0.5, 512)
    assert_mean(rows.square().mean((1, 2)).numpy(), 1 / 300, rejects=1.03 / 300)
    assert_mean(rows.sign().mean((1, 2)).numpy(), 0, rejects=0.03)


@both
def test_a_bias_of_ten_sees_every_coordinate(kind):
    """Also where it is alone in a block, and where there are more coordinates than a block has rows."""
    assert_every_coordinate_reaches(projection(kind, 300, 100, 3))
    assert_every_coordinate_reaches(projection(kind, 4106, 100, 3))
    last = torch.zeros(10, 8202)
    last[range(10), range(8192, 8202)] = 1
    assert (projection(kind, 8202, 5000, 3).adjoint(last) != 0).all()


def layer_by_layer(layers, dim, seed):
    """The defect of others: a Fastfood for each tensor, of its own padded size, to which theta is *cropped*."""
    rows = torch.zeros(sum(layers), dim)
    first = 0
    for number in layers:
        padded = 2 ** math.ceil(math.log2(number))
        seen = min(dim, padded)
        rows[first : first + number, :seen] = matrix(projection("fastfood", padded, seen, seed))[:number]
        first += number
    return Given(rows)


def test_padding_each_tensor_crops_what_a_bias_of_ten_sees_to_sixteen_coordinates():
    theirs = layer_by_layer([270, 20, 10], 100, 3)
    assert (matrix(theirs)[-10:] != 0).any(0).sum() == 16
    with pytest.raises(AssertionError, match="84% of the coordinates do not reach the last 10 weights"):
        assert_every_coordinate_reaches(theirs)


@both
def test_columns_nest_across_the_size_of_the_first_transform(kind):
    """32 coordinates need a first transform of 32, 33 one of 64."""
    few, more = (matrix(projection(kind, 300, dim, 3))[:, :32] for dim in (32, 33))
    torch.testing.assert_close(few, more, rtol=1e-4, atol=1e-6)


def test_blocks_are_independent_and_each_has_its_share_of_a_column():
    columns = columns_of(projection("fastfood_block", 3 * 4096, 30, 3), range(30)).view(30, 3, 4096).double()
    torch.testing.assert_close(columns.square().sum((1, 2)), torch.ones(30).double(), rtol=1e-5, atol=0)
    assert_mean(columns.square().sum(2)[0].numpy(), 1 / 3, rejects=1 / 3 * 1.5)
    across = torch.stack([(columns[:, a] * columns[:, b]).sum(1) for a, b in ((0, 1), (1, 2), (0, 2))])
    assert (across.abs() < 0.1).all()


def test_inner_products_of_blocks_are_as_small_as_of_the_whole():
    """E <u_j, u_k>^2 = 2/(D + 2) of D = L, and the same to 1/D where the mean of two blocks is taken."""
    for kind in ("fastfood", "fastfood_block"):
        squares = []
        for seed in range(8):
            columns = columns_of(projection(kind, 8192, 65, seed), range(64)).double()
            squares.append((columns[0] @ columns[1:].T).square())
        assert_mean(torch.cat(squares).numpy(), 2 / 8194, rejects=1.4 * 2 / 8194)


def test_coordinates_beyond_a_block_are_columns_like_others():
    """4096 rows have no more than 4096 orthogonal columns: the others are another draw, and nest too."""
    which = [0, 1, 4095, 4096, 4097, 4999]
    columns = columns_of(projection("fastfood_block", 8192, 5000, 3), which).double()
    torch.testing.assert_close(columns.norm(dim=1), torch.ones(6).double(), rtol=1e-5, atol=0)
    products = columns @ columns.T - torch.eye(6)
    assert products.abs().max() < 0.1
    few = columns_of(projection("fastfood_block", 8192, 4100, 3), which[:-1])
    torch.testing.assert_close(few, columns[:-1].float(), rtol=1e-4, atol=1e-6)


def test_blocks_hold_less_than_the_whole():
    whole, blocks = (projection(kind, WEIGHTS, 750, 3) for kind in ("fastfood", "fastfood_block"))
    assert sum(v.numel() for v in blocks.held.values()) < 0.8 * sum(v.numel() for v in whole.held.values())


@both
def test_one_coordinate_moves_every_weight_of_a_real_net(kind):
    moved = projection(kind, WEIGHTS, 750, 3).apply(torch.eye(1, 750)[0]).double()
    assert (moved != 0).all()
    assert_mean(moved.numpy() ** 2 * WEIGHTS, 1, rejects=1.05, bias=4 * np.sqrt(2 / 2**18))
