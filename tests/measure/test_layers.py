"""A layer's spectrum against its singular values, on wide, tall and folded weights of any precision."""

import numpy as np
import pytest
import torch

from rmtlottery.measure import layers
from rmtlottery.measure.layers import eigenvalues, squared_singular_values
from rmtlottery.refusal import Refusal

RANDOM = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(shape, generator=RANDOM, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(5, 12), (12, 5), (7, 3, 2, 4), (4, 3, 3, 3), (1, 6), (6, 1)])
@pytest.mark.parametrize("spectrum", [eigenvalues, squared_singular_values])
def test_they_are_the_squared_singular_values_on_the_short_side(shape, spectrum):
    weight = normal(*shape)
    expected = np.linalg.svd(weight.numpy().reshape(len(weight), -1), compute_uv=False)[::-1] ** 2
    found = spectrum(weight)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("shape", [(30, 47), (47, 30)])
def test_a_weight_of_less_precision_is_as_it_stands(dtype, shape, monkeypatch):
    """By blocks of two columns, the last of one; what the weight was before it was rounded is another matrix."""
    monkeypatch.setattr(layers, "BLOCK", 60)
    weight = normal(*shape).to(dtype)
    expected = np.linalg.svd(weight.double().numpy(), compute_uv=False)[::-1] ** 2
    np.testing.assert_allclose(eigenvalues(weight), expected, rtol=1e-10)
    assert weight.dtype == dtype


def test_no_block_is_larger_than_it_says(monkeypatch):
    monkeypatch.setattr(layers, "BLOCK", 60)
    sizes = [block.shape for block in layers.blocks(normal(20, 31))]
    assert sizes == [(20, 3)] * 10 + [(20, 1)]
    monkeypatch.setattr(layers, "BLOCK", 10)
    assert {tuple(block.shape) for block in layers.blocks(normal(20, 31))} == {(20, 1)}


def test_each_way_is_right_down_to_the_floor_that_it_states():
    """Singular values from 1 to 1e-12: the square of 1e-9 is below the floor of a Gram matrix, 1e-4's below float32's."""
    u, v = (torch.linalg.qr(normal(n, 7))[0] for n in (7, 11))
    graded = 10.0 ** -torch.arange(12, -1, -2, dtype=torch.float64)
    weight = u * graded @ v.T
    exact = graded.square().numpy()
    assert np.abs(squared_singular_values(weight) / exact - 1).max() < 1e-3
    double, single = eigenvalues(weight), eigenvalues(weight, "float32")
    assert np.abs(double / exact - 1)[3:].max() < 1e-2
    assert np.abs(double - exact).max() < 2e-14
    assert np.abs(single - exact).max() < 1e-5
    assert np.abs(single / exact - 1)[4] > 1e-6 > np.abs(double / exact - 1)[4], "float32 is another precision"


def test_no_eigenvalue_is_below_0_and_the_rest_are_those_of_a_smaller_matrix():
    thin = normal(9, 3)
    found = eigenvalues(thin @ normal(3, 20))
    assert (found >= 0).all()
    assert (found[:6] < 1e-13 * found[-1]).all()
    assert (found[6:] > 1e-3).all()


def test_a_weight_stays_what_it_was():
    weight = torch.nn.Parameter(normal(6, 9))
    before = weight.detach().clone()
    eigenvalues(weight)
    squared_singular_values(weight)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("shape", [(), (4,), (0, 3), (3, 0)])
@pytest.mark.parametrize("spectrum", [eigenvalues, squared_singular_values])
def test_what_has_no_two_axes_has_no_spectrum(shape, spectrum):
    with pytest.raises(Refusal, match="has no spectrum; take one with two axes or more"):
        spectrum(torch.ones(shape))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spectrum", [eigenvalues, squared_singular_values])
def test_numbers_that_are_not_finite_are_refused(wrong, spectrum):
    weight = normal(3, 5)
    weight[1, 2] = wrong
    with pytest.raises(Refusal, match=r"a weight of shape \(3, 5\) has numbers that are not finite"):
        spectrum(weight)


def test_an_unknown_precision_is_refused():
    with pytest.raises(Refusal, match="precision = 'float16' of a layer's spectrum is not known; take float64 or float32"):
        eigenvalues(normal(3, 5), "float16")
