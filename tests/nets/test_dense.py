"""Products of every seed, batched or one after another: the same numbers, wherever they are asked to go."""

import pytest
import torch

from rmtlottery.nets import dense
from rmtlottery.nets.dense import Dense, product

A = torch.arange(3 * 4 * 5, dtype=torch.float64).view(3, 4, 5)
B = torch.arange(3 * 5 * 2, dtype=torch.float64).view(3, 5, 2) - 7


@pytest.fixture(params=[1, 2**40], ids=["one-by-one", "batched"])
def large(request, monkeypatch):
    monkeypatch.setattr(dense, "LARGE", request.param)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_product_is_einsum(large, seeds):
    assert torch.equal(product(A[:seeds], B[:seeds]), torch.einsum("sij,sjk->sik", A[:seeds], B[:seeds]))


def test_it_writes_into_a_view_of_a_flat_vector(large):
    flat = torch.full((3, 20), -1.0, dtype=torch.float64)
    product(A, B, flat[:, 5:13].unflatten(1, (4, 2)))
    assert torch.equal(flat[:, 5:13].unflatten(1, (4, 2)), A @ B)
    assert (flat[:, :5] == -1).all()
    assert (flat[:, 13:] == -1).all()


def test_a_layer_is_w_x_plus_b_and_its_transposes(large):
    weight_slope, bias_slope = torch.empty(3, 4, 5, dtype=torch.float64), torch.empty(3, 4, dtype=torch.float64)
    bias = torch.arange(12, dtype=torch.float64).view(3, 4)
    layer = Dense(A, bias, weight_slope, bias_slope)
    assert torch.equal(layer.forward(B), A @ B + bias[:, :, None])
    delta = layer.forward(B)
    assert torch.equal(layer.back(delta), A.mT @ delta)
    layer.write(delta, B)
    assert torch.equal(weight_slope, delta @ B.mT)
    assert torch.equal(bias_slope, delta.sum(2))


def test_inputs_may_stand_sample_by_sample(large):
    turned = B.mT.contiguous().mT
    assert torch.equal(product(A, turned), A @ B)
