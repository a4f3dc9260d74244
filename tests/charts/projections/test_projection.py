"""The contract of every kind: adjoint, lengths, nesting, seeds, dtypes, memory, refusals."""

import re

import pytest
import torch

from rmtlottery.charts.projections import KINDS, projection
from rmtlottery.refusal import Refusal
from tests.charts.projections.matrices import (
    WEIGHTS,
    WIDE,
    Made,
    assert_lengths_are_kept,
    columns_of,
    drawn,
    matrix,
    relative_variance,
)
from tests.conftest import assert_mean

SIZES = [(300, 20), (256, 20), (40, 40), (257, 256), (7, 5), (1, 1)]
EXACT = {"dense", "orthonormal", "sparse", "countsketch", "axes"}
ORTHONORMAL = {"orthonormal", "countsketch", "axes"}
BY_HADAMARD = {"fastfood", "fastfood_block", "fastjl"}
IMPLICIT = {"countsketch", "axes", "fastfood", "fastfood_block", "fastjl"}
UNNESTED = {"countsketch", "fastjl_gargiulo"}

every_kind = pytest.mark.parametrize("kind", KINDS)
every_size = pytest.mark.parametrize(("ambient", "dim"), SIZES)


def normal(*shape, seed=1, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def test_the_kinds_are_those_of_the_contract():
    assert set(KINDS) == EXACT | BY_HADAMARD | UNNESTED


@every_size
@every_kind
def test_adjoint_is_the_adjoint(kind, ambient, dim):
    """<P x, g> = <x, P^T g>."""
    p = projection(kind, ambient, dim, 3)
    x, g = normal(4, dim), normal(4, ambient, seed=2)
    there, back = p.apply(x).double(), p.adjoint(g).double()
    scale = there.norm(dim=1) * g.double().norm(dim=1)
    assert (((there * g).sum(1) - (x * back).sum(1)).abs() <= 1e-5 * scale).all()


@every_size
@every_kind
def test_a_projection_is_the_matrix_of_its_basis_vectors(kind, ambient, dim):
    p = projection(kind, ambient, dim, 3)
    x, g = normal(4, dim), normal(4, ambient, seed=2)
    rows = matrix(p)
    assert rows.shape == (ambient, dim)
    torch.testing.assert_close(p.apply(x), x @ rows.T, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(p.adjoint(g), g @ rows, rtol=1e-4, atol=2e-5)


@every_size
@pytest.mark.parametrize("kind", sorted(EXACT))
def test_columns_have_unit_length(kind, ambient, dim):
    lengths = matrix(projection(kind, ambient, dim, 3)).norm(dim=0)
    torch.testing.assert_close(lengths, torch.ones(dim), rtol=2e-6, atol=0)


@pytest.mark.parametrize(("ambient", "dim"), [(256, 20), (64, 64), (8192, 3), (1, 1)])
@pytest.mark.parametrize("kind", sorted(BY_HADAMARD))
def test_columns_have_unit_length_where_the_weights_are_a_power_of_two(kind, ambient, dim):
    lengths = matrix(projection(kind, ambient, dim, 3)).norm(dim=0)
    torch.testing.assert_close(lengths, torch.ones(dim), rtol=2e-6, atol=0)


@pytest.mark.parametrize("kind", sorted(BY_HADAMARD | {"fastjl_gargiulo"}))
def test_columns_have_unit_length_in_expectation_elsewhere(kind):
    """300 weights of a Hadamard matrix of 512."""
    assert_mean(drawn(kind, 300, 20).square().sum(1).mean(1).numpy(), 1, rejects=1.03)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ORTHONORMAL))
def test_lengths_are_kept_in_expectation(kind):
    assert_lengths_are_kept(drawn(kind, 300, 20))


@pytest.mark.parametrize("kind", sorted(ORTHONORMAL))
def test_orthonormal_columns_keep_every_length(kind):
    x = normal(5, 20)
    lengths = projection(kind, 300, 20, 3).apply(x).norm(dim=1)
    torch.testing.assert_close(lengths, x.norm(dim=1), rtol=2e-6, atol=0)


VARIANCES = {"dense": 2 / 64, "sparse": 2 / 64, "fastjl": 2 / 64, "fastfood": 4 / 66, "fastfood_block": 4 / 66}


@pytest.mark.parametrize("kind", VARIANCES)
def test_lengths_scatter_as_the_inner_products_of_columns_do(kind):
    """Var |P x|^2 = 4 sum_{j<k} x_j^2 x_k^2 E <u_j, u_k>^2, which is 1/D of unit vectors with free signs.

    In Fastfood with D = L it is E (sum_i +-g_i^2)^2 / (sum_i g_i^2)^2 = 2/(L + 2), half of the signs being -1.
    """
    expected = VARIANCES[kind] * (1 - 1 / 8)
    assert_mean(relative_variance(drawn(kind, 64, 8)), expected, rejects=expected * 8 / 6)


@pytest.mark.parametrize("rows", [slice(0, 10), slice(145, 155), slice(290, 300)])
@every_kind
def test_ten_weights_get_their_share_of_the_coordinates_wherever_they_are(kind, rows):
    """E |P^T g|^2 = |g|^2 d/D: what a gradient keeps."""
    many = {"seeds": range(4000)} if kind == "axes" else {}  # that has each of the ten or has it not
    kept = drawn(kind, 300, 20, **many)[:, rows].sum(1).square().sum(1)
    assert_mean(kept.numpy() * 300 / 20 / 10, 1, rejects=1.25)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - UNNESTED))
def test_columns_of_a_narrower_projection_are_the_first_of_a_wider(kind):
    assert KINDS[kind].nested
    ambient, dim, fewer = (700, 75, 30) if kind in {"dense", "orthonormal"} else (WEIGHTS, 750, 300)
    which = [0, 1, fewer // 2, fewer - 1]
    few, many = (columns_of(projection(kind, ambient, size, 4), which) for size in (fewer, dim))
    torch.testing.assert_close(few, many, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", sorted(UNNESTED))
def test_what_is_not_nested_says_so(kind):
    assert not KINDS[kind].nested
    few, many = (matrix(projection(kind, 512, size, 4))[:, :100] for size in (100, 400))
    assert not torch.allclose(few, many, atol=1e-3)


@every_kind
def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before(kind):
    first = projection(kind, 300, 20, 3)
    torch.manual_seed(17)
    state = torch.get_rng_state()
    again = projection(kind, 300, 20, 3)
    assert torch.equal(matrix(first), matrix(again))
    assert first.fingerprint == again.fingerprint
    assert torch.equal(torch.get_rng_state(), state)


@every_kind
def test_columns_of_different_seeds_have_nothing_to_do_with_each_other(kind):
    """Nor are they shifted by the difference of the seeds."""
    one, other, far = (matrix(projection(kind, 1000, 20, seed)) for seed in (3, 4, 2**31 + 3))
    for left, right in ((one, other), (one, far), (other, far)):
        assert ((left.T @ right).abs() >= 0.5).sum() <= (4 if kind == "axes" else 0)  # 0.4 weights are common by chance


def test_different_kinds_are_different_matrices():
    rows = [matrix(projection(kind, 300, 20, 3)) for kind in KINDS]
    assert not any(torch.allclose(a, b, atol=1e-2) for i, a in enumerate(rows) for b in rows[:i])


def test_fingerprints_tell_kinds_sizes_and_seeds_apart():
    made = [(kind, *rest) for kind in KINDS for rest in ((300, 20, 3), (300, 20, 4), (300, 21, 3), (301, 20, 3))]
    prints = [projection(*what).fingerprint for what in made]
    assert len(set(prints)) == len(made)
    assert all(re.fullmatch("[0-9a-f]{16}", value) for value in prints)


@every_kind
def test_a_projection_knows_what_it_is(kind):
    p = projection(kind, 300, 20, 3)
    assert (p.kind, p.ambient, p.dim, p.seed) == (kind, 300, 20, 3)
    assert p.held
    assert p.implicit == (kind in IMPLICIT)


@every_kind
def test_batches_are_their_rows_one_by_one(kind):
    p = projection(kind, 300, 20, 3)
    x, g = normal(5, 20), normal(5, 300, seed=2)
    torch.testing.assert_close(p.apply(x), torch.stack([p.apply(row) for row in x]), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(p.adjoint(g), torch.stack([p.adjoint(row) for row in g]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("leading", [(), (1,), (2, 3), (2, 1, 3), (0,)])
@every_kind
def test_leading_axes_stay(kind, leading):
    p = projection(kind, 300, 20, 3)
    x, g = normal(*leading, 20), normal(*leading, 300, seed=2)
    there, back = p.apply(x), p.adjoint(g)
    assert there.shape == (*leading, 300)
    assert back.shape == (*leading, 20)
    torch.testing.assert_close(there.reshape(-1, 300), p.apply(x.reshape(-1, 20)), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(back.reshape(-1, 20), p.adjoint(g.reshape(-1, 300)), rtol=1e-5, atol=1e-5)


@every_kind
def test_vectors_that_lie_otherwise_in_memory_are_mapped_alike_and_left_as_they_were(kind):
    p = projection(kind, 300, 20, 3)
    x, g = normal(20, 5).T, normal(300, 5, seed=2).T
    before = x.clone(), g.clone()
    torch.testing.assert_close(p.apply(x), p.apply(x.contiguous()))
    torch.testing.assert_close(p.adjoint(g), p.adjoint(g.contiguous()))
    p.apply(before[0]), p.adjoint(before[1])
    assert torch.equal(x, before[0])
    assert torch.equal(g, before[1])


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float64, 1e-6), (torch.bfloat16, 2**-7)])
@every_kind
def test_vectors_keep_their_dtype_and_its_precision(kind, dtype, rounding):
    p = projection(kind, 300, 20, 3)
    rows = matrix(p).double()
    for apply, vector, product in ((p.apply, normal(20, dtype=dtype), rows), (p.adjoint, normal(300, dtype=dtype), rows.T)):
        got, expected = apply(vector), product @ vector.double()
        assert got.dtype == dtype
        assert (got.double() - expected).norm() < rounding * expected.norm()


@every_kind
def test_moved_to_a_device_it_is_the_same_projection(kind):
    p = projection(kind, 300, 20, 3)
    moved = p.to("cpu")
    assert moved.fingerprint == p.fingerprint
    assert torch.equal(matrix(moved), matrix(p))
    assert all(value.device.type == "meta" for value in p.to("meta").held.values())


@pytest.mark.parametrize("kind", sorted(IMPLICIT))
def test_what_is_implicit_holds_and_makes_no_more_than_the_weights_times_a_constant(kind):
    """D = 199,210 and d = 750: the matrix has 570 times as many numbers as the Hadamard matrix has rows."""
    with Made() as making:
        p = projection(kind, WEIGHTS, 750, 0)
    entries = 3 * 130 * 750 if kind == "fastjl" else 0
    assert sum(value.numel() for value in p.held.values()) <= 10 * WIDE + entries
    assert max(making.sizes) <= 4 * WIDE
    for apply, size in ((p.apply, 750), (p.adjoint, WEIGHTS)):
        with Made() as mapping:
            apply(torch.ones(size))
        assert max(mapping.sizes) <= 4 * WIDE
        assert sum(mapping.sizes) <= 40 * WIDE


REFUSED = {
    "fastfod": ("fastfod", 30, 5, "unknown projection 'fastfod': did you mean 'fastfood'"),
    "nothing": ("dense", 30, 0, "d = 0 .*30"),
    "too-many": ("dense", 30, 31, "d = 31 .*30"),
    "negative": ("fastjl", 30, -1, "d = -1 .*30"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    kind, ambient, dim, message = REFUSED[name]
    with pytest.raises(Refusal, match=message):
        projection(kind, ambient, dim, 0)


@every_kind
def test_a_vector_of_another_length_is_refused(kind):
    p = projection(kind, 30, 5, 0)
    with pytest.raises(Refusal, match=r"length 5 .*\(6,\)"):
        p.apply(torch.ones(6))
    with pytest.raises(Refusal, match=r"length 30 .*\(2, 29\)"):
        p.adjoint(torch.ones(2, 29))


HUGE = {kind: (10**7, 10**6) if kind in {"dense", "orthonormal", "fastjl_gargiulo"} else (10**12, 2) for kind in KINDS}


@every_kind
def test_more_memory_than_is_free_is_refused(kind):
    with pytest.raises(Refusal, match="GB are free"):
        projection(kind, *HUGE[kind], 0)
