"""Products, whichever library makes them: the same numbers, wherever they are asked to go."""

import pytest
import torch

from rmtlottery.nets import products
from rmtlottery.nets.activation import PHI, PULL
from rmtlottery.nets.products import FUSED, affine, onednn, product

A = torch.arange(3 * 4 * 5, dtype=torch.float32).view(3, 4, 5)
B = torch.arange(3 * 5 * 2, dtype=torch.float32).view(3, 5, 2) - 7


@pytest.fixture(params=["batched", "one-by-one", "onednn"])
def way(request, monkeypatch):
    """Every way a product can go, at sizes at which sums of small whole numbers are exact."""
    large, deep, rows = {"batched": (2**40, 2**40, 1), "one-by-one": (1, 2**40, 1), "onednn": (1, 1, 1)}[request.param]
    for name, value in {"LARGE": large, "DEEP": deep, "ROWS": rows}.items():
        monkeypatch.setattr(products, name, value)
    return request.param


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_product_is_einsum(way, seeds):
    assert torch.equal(product(A[:seeds], B[:seeds]), torch.einsum("sij,sjk->sik", A[:seeds], B[:seeds]))


def test_it_writes_into_a_view_of_a_flat_vector(way):
    flat = torch.full((3, 20), -1.0)
    product(A, B, flat[:, 5:13].unflatten(1, (4, 2)))
    assert torch.equal(flat[:, 5:13].unflatten(1, (4, 2)), A @ B)
    assert (flat[:, :5] == -1).all()
    assert (flat[:, 13:] == -1).all()


def test_either_factor_may_be_a_transpose(way):
    assert torch.equal(product(A.mT.contiguous().mT, B.mT.contiguous().mT), A @ B)


def test_double_precision_stays_double(way):
    a, b = A.double() + 1e-12, B.double()
    torch.testing.assert_close(product(a, b), torch.einsum("sij,sjk->sik", a, b), rtol=1e-15, atol=0)


@pytest.mark.skipif(not onednn(torch.float32), reason="this build of torch has no oneDNN")
@pytest.mark.parametrize("size", [(65, 128, 300), (128, 512, 130)])
def test_large_products_in_fp32_are_fp32(size):
    """Off by no more than sums of so many rounded terms are: TF32 or bf16 inside would be off 100 times as far."""
    rows, inner, columns = size
    stream = torch.Generator().manual_seed(0)
    a, b = torch.randn(1, rows, inner, generator=stream), torch.randn(1, inner, columns, generator=stream)
    exact = a.double() @ b.double()
    assert (product(a, b) - exact).norm() / exact.norm() < 5e-7
    weight, bias = b.mT.contiguous(), torch.zeros(1, columns)
    assert (affine(a, weight, bias, "linear") - exact).norm() / exact.norm() < 5e-7


@pytest.mark.parametrize("phi", sorted(FUSED))
def test_what_is_no_number_stays_none(phi, monkeypatch):
    """oneDNN's relu would make 0 of it, and a seed that diverged would train on unseen."""
    monkeypatch.setattr(products, "LARGE", 1)
    weight = torch.ones(1, 4, 3)
    weight[0, 1, 2] = float("nan")
    found = affine(torch.ones(1, 2, 3), weight, torch.zeros(1, 4), phi)
    assert found is None or found.isnan()[0].tolist() == [[False, True, False, False]] * 2


def test_onednn_is_asked_for_each_type():
    assert not onednn(torch.float64)


def test_what_is_fused_tells_its_slope_from_x_alone():
    h = torch.linspace(-3, 3, 50)
    for phi in FUSED:
        x = PHI[phi](h)
        assert torch.equal(PULL[phi](torch.ones_like(h), x, x), PULL[phi](torch.ones_like(h), h, x))


@pytest.mark.parametrize(
    ("phi", "dtype", "there"),
    [("gelu", torch.float32, True), ("relu", torch.float32, True), ("tanh", torch.float32, False)],
)
def test_nothing_is_fused_where_it_cannot_be(phi, dtype, there, monkeypatch):
    monkeypatch.setattr(products, "LARGE", 1)
    monkeypatch.setattr(products, "onednn", lambda dtype: there)
    one = torch.ones(1, 4, 3, dtype=dtype)
    assert affine(one, one, torch.ones(1, 4, dtype=dtype), phi) is None
