"""H x against scipy's matrices, a butterfly, and the identities of the transform."""

import pytest
import scipy.linalg
import torch

from rmtlottery.charts.hadamard import hadamard

SIZES = [2**power for power in range(11)]


def normal(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def butterfly(x):
    """Sums and differences at doubling distances: Sylvester's order, another way."""
    size = x.shape[-1]
    step = 1
    while step < size:
        pairs = x.reshape(*x.shape[:-1], -1, 2, step)
        x = torch.stack([pairs.sum(-2), pairs[..., 0, :] - pairs[..., 1, :]], -2).reshape(x.shape)
        step *= 2
    return x


@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_matrix_of_sylvester(size):
    expected = torch.from_numpy(scipy.linalg.hadamard(size)).double()
    x = normal(3, size)
    torch.testing.assert_close(hadamard(x), x @ expected, rtol=1e-12, atol=1e-12 * size)


def test_its_entries_are_exact():
    assert torch.equal(hadamard(torch.eye(128)), torch.from_numpy(scipy.linalg.hadamard(128)).float())


@pytest.mark.parametrize("power", [11, 12, 13, 17, 18])
def test_large_ones_are_sums_and_differences(power):
    x = normal(2**power)
    expected = butterfly(x)
    assert (hadamard(x) - expected).norm() < 1e-13 * expected.norm()


def test_there_and_back_is_the_length_times_the_vector():
    x = normal(2**14)
    torch.testing.assert_close(hadamard(hadamard(x)), 2**14 * x, rtol=1e-11, atol=1e-9)


def test_it_is_its_own_adjoint():
    x, g = normal(2, 256)
    torch.testing.assert_close(hadamard(x) @ g, x @ hadamard(g), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("size", [1, 2, 64, 512, 8192])
def test_leading_axes_are_transformed_one_by_one(size):
    x = normal(2, 3, size)
    got = hadamard(x)
    assert got.shape == x.shape
    torch.testing.assert_close(got, torch.stack([torch.stack([hadamard(row) for row in rows]) for rows in x]))


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float64, 1e-14), (torch.float32, 1e-6), (torch.bfloat16, 2**-6)])
def test_the_dtype_stays_and_sums_are_as_precise_as_it_is(dtype, rounding):
    x = normal(4096).to(dtype)
    expected = butterfly(x.double())
    assert hadamard(x).dtype == dtype
    assert (hadamard(x).double() - expected).norm() < rounding * expected.norm()


def test_a_vector_is_left_as_it_was_and_may_lie_otherwise_in_memory():
    x = normal(256, 3).T
    before = x.clone()
    torch.testing.assert_close(hadamard(x), hadamard(before))
    assert torch.equal(x, before)


@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 12)])
def test_a_length_that_is_no_power_of_two_is_never_answered(shape):
    """Even where the whole batch could be cut into powers of two."""
    with pytest.raises((ValueError, RuntimeError), match=f"{shape[-1]}|size|shape"):
        hadamard(torch.ones(shape))
