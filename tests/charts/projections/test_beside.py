"""[A B] and some of the columns: several subspaces of one space."""

import pytest
import torch

from rmtlottery.charts.projections import KINDS, projection
from rmtlottery.charts.projections.beside import Beside, Columns
from rmtlottery.refusal import Refusal
from tests.charts.projections.matrices import drawn, matrix
from tests.conftest import assert_mean

every_kind = pytest.mark.parametrize("kind", KINDS)


def parts():
    return [projection("sparse", 300, 7, 0), projection("fastfood", 300, 20, 1), projection("countsketch", 300, 3, 2)]


def test_beside_is_the_matrices_side_by_side():
    whole = Beside(parts())
    expected = torch.cat([matrix(p) for p in parts()], 1)
    assert (whole.ambient, whole.dim) == (300, 30)
    torch.testing.assert_close(matrix(whole), expected, rtol=1e-5, atol=1e-7)
    g = torch.randn(2, 3, 300, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(whole.adjoint(g), g @ expected, rtol=1e-4, atol=1e-5)


def test_each_part_gets_its_own_coordinates():
    """w = w_0 + sum_k A_k x_k."""
    x = torch.randn(4, 30, generator=torch.Generator().manual_seed(1))
    expected = sum(p.apply(piece) for p, piece in zip(parts(), x.split([7, 20, 3], 1), strict=True))
    torch.testing.assert_close(Beside(parts()).apply(x), expected, rtol=1e-5, atol=1e-6)


@every_kind
def test_columns_are_those_of_the_whole(kind):
    whole = projection(kind, 300, 20, 3)
    some = Columns(whole, 5, 8)
    assert (some.ambient, some.dim) == (300, 8)
    torch.testing.assert_close(matrix(some), matrix(whole)[:, 5:13], rtol=1e-5, atol=1e-7)
    g = torch.randn(4, 300, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(some.adjoint(g), whole.adjoint(g)[:, 5:13], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if KINDS[kind].nested))
def test_the_first_columns_are_the_narrower_projection(kind):
    first = Columns(projection(kind, 300, 20, 3), 0, 8)
    torch.testing.assert_close(matrix(first), matrix(projection(kind, 300, 8, 3)), rtol=1e-4, atol=1e-6)


@every_kind
def test_all_columns_in_pieces_beside_each_other_are_the_whole(kind):
    whole = projection(kind, 300, 20, 3)
    pieces = Beside([Columns(whole, 0, 8), Columns(whole, 8, 11), Columns(whole, 19, 1)])
    x = torch.randn(4, 20, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(pieces.apply(x), whole.apply(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["orthonormal", "countsketch"])
def test_disjoint_columns_of_an_orthonormal_family_interfere_not_at_all(kind):
    """What one moves, the other does not see; two seeds share an energy of d/D."""
    whole = projection(kind, 300, 40, 3)
    left, right = Columns(whole, 0, 15), Columns(whole, 15, 25)
    seen = right.adjoint(left.apply(torch.eye(15)))
    torch.testing.assert_close(seen, torch.zeros(15, 25), rtol=0, atol=1e-6)
    assert projection(kind, 300, 25, 4).adjoint(left.apply(torch.eye(15))).abs().max() > 0.05


def test_independent_subspaces_share_the_energy_of_their_dimension():
    """E |B^T A x|^2 = |x|^2 d/D."""
    matrices = drawn("orthonormal", 300, 20)
    energy = (matrices[:-1].transpose(1, 2) @ matrices[1:]).square().sum((1, 2)) / 20
    assert_mean(energy.numpy(), 20 / 300, rejects=21 / 300)


def test_columns_and_parts_keep_dtypes_and_leading_axes():
    for p in (Beside(parts()), Columns(parts()[1], 3, 12)):
        for dtype in (torch.float64, torch.bfloat16):
            there = p.apply(torch.ones(2, 3, p.dim, dtype=dtype))
            back = p.adjoint(torch.ones(300, dtype=dtype))
            assert (there.shape, there.dtype) == ((2, 3, 300), dtype)
            assert (back.shape, back.dtype) == ((p.dim,), dtype)


def test_fingerprints_tell_what_is_put_together_and_what_is_taken():
    a, b = projection("dense", 300, 7, 0), projection("dense", 300, 20, 1)
    made = [
        a,
        b,
        Beside([a, b]),
        Beside([b, a]),
        Beside([a, a]),
        Beside([b]),
        Columns(b, 0, 7),
        Columns(b, 1, 7),
        Columns(b, 0, 8),
    ]
    assert len({p.fingerprint for p in made}) == len(made)
    assert Beside([a, b]).fingerprint == Beside([a, b]).fingerprint
    assert Columns(b, 1, 7).fingerprint == Columns(b, 1, 7).fingerprint


def test_moved_they_are_the_same():
    for p in (Beside(parts()), Columns(parts()[1], 3, 12)):
        moved = p.to("cpu")
        assert moved.fingerprint == p.fingerprint
        assert torch.equal(matrix(moved), matrix(p))


@pytest.mark.parametrize(("first", "dim"), [(0, 21), (20, 1), (-1, 3), (5, 0), (5, -2)])
def test_columns_that_are_not_there_are_refused(first, dim):
    with pytest.raises(Refusal, match="no columns"):
        Columns(projection("dense", 300, 20, 3), first, dim)


def test_parts_of_different_spaces_are_refused():
    with pytest.raises(Refusal, match="same number of weights"):
        Beside([projection("dense", 300, 20, 3), projection("dense", 301, 20, 3)])
    with pytest.raises(Refusal, match="weights"):
        Beside([])
