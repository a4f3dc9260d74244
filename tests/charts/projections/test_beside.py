"""[A B]: several subspaces of one space."""

import pytest
import torch

from rmtlottery.charts.projections import projection
from rmtlottery.charts.projections.beside import Beside
from rmtlottery.refusal import Refusal
from tests.charts.projections.matrices import drawn, matrix
from tests.conftest import assert_mean


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


@pytest.mark.parametrize("kind", ["orthonormal", "countsketch"])
def test_disjoint_columns_of_an_orthonormal_family_interfere_not_at_all(kind):
    """What one moves, the other does not see; two seeds share an energy of d/D."""
    moved = projection(kind, 300, 40, 3).apply(torch.eye(40)[:15])
    seen = projection(kind, 300, 40, 3).adjoint(moved)[:, 15:]
    torch.testing.assert_close(seen, torch.zeros(15, 25), rtol=0, atol=1e-6)
    assert projection(kind, 300, 25, 4).adjoint(moved).abs().max() > 0.05


def test_independent_subspaces_share_the_energy_of_their_dimension():
    """E |B^T A x|^2 = |x|^2 d/D."""
    matrices = drawn("orthonormal", 300, 20)
    energy = (matrices[:-1].transpose(1, 2) @ matrices[1:]).square().sum((1, 2)) / 20
    assert_mean(energy.numpy(), 20 / 300, rejects=21 / 300)


def test_parts_keep_dtypes_and_leading_axes():
    p = Beside(parts())
    for dtype in (torch.float64, torch.bfloat16):
        there = p.apply(torch.ones(2, 3, p.dim, dtype=dtype))
        back = p.adjoint(torch.ones(300, dtype=dtype))
        assert (there.shape, there.dtype) == ((2, 3, 300), dtype)
        assert (back.shape, back.dtype) == ((p.dim,), dtype)


def test_fingerprints_tell_what_is_put_together():
    a, b = projection("dense", 300, 7, 0), projection("dense", 300, 20, 1)
    made = [a, b, Beside([a, b]), Beside([b, a]), Beside([a, a]), Beside([b])]
    assert len({p.fingerprint for p in made}) == len(made)
    assert Beside([a, b]).fingerprint == Beside([a, b]).fingerprint


def test_moved_it_is_the_same():
    p = Beside(parts())
    moved = p.to("cpu")
    assert moved.fingerprint == p.fingerprint
    assert torch.equal(matrix(moved), matrix(p))


def test_parts_of_different_spaces_are_refused():
    with pytest.raises(Refusal, match="same number of weights"):
        Beside([projection("dense", 300, 20, 3), projection("dense", 301, 20, 3)])
    with pytest.raises(Refusal, match="weights"):
        Beside([])
