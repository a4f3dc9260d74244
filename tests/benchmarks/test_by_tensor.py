"""The other side of the subspaces' benchmark really is Fastfood, tensor by tensor."""

import pytest
import torch

from benchmarks._by_tensor import ByTensor, along, butterfly, draw
from rmtlottery.charts.hadamard import hadamard


@pytest.mark.parametrize("bits", [0, 1, 5, 9])
def test_its_butterfly_is_the_transform(bits):
    x = torch.randn(1 << bits)
    torch.testing.assert_close(butterfly(x), hadamard(x), rtol=1e-4, atol=1e-4)


def test_its_columns_have_unit_norm_in_each_tensor():
    parts, like = draw(4096, 6), torch.zeros(64, 64)
    for x in torch.eye(6):
        assert along(x, *parts, like).square().sum() == pytest.approx(1, rel=1e-4)


def test_it_moves_every_tensor_and_is_trained_by_theta_alone():
    torch.manual_seed(0)
    net = torch.nn.Linear(20, 3)
    held = ByTensor(net, 10)
    x = torch.randn(5, 20)
    torch.testing.assert_close(held(x), net(x))
    assert [tuple(value.shape) for value in held.parameters()] == [(10,)]
    held(x).square().sum().backward()
    with torch.no_grad():
        held.theta -= 0.1 * held.theta.grad
    assert not torch.isclose(held(x), net(x)).all(1).any()
