"""A layer of whole matrices is W x + b, phi of it, and its transposes."""

import pytest
import torch

from rmtlottery.nets import products
from rmtlottery.nets.dense import Dense

OUT, IN, SAMPLES = 4, 5, 3


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer(seeds):
    unset = torch.full((seeds, OUT, IN), float("nan"), dtype=torch.float64)
    return Dense(drawn(seeds, OUT, IN), drawn(seeds, OUT, seed=1), unset, unset[:, :, 0].clone())


@pytest.mark.parametrize("seeds", [1, 3])
def test_forward_is_w_x_plus_b_and_phi_of_it(seeds):
    held, x = layer(seeds), drawn(seeds, SAMPLES, IN, seed=2)
    h, y = held.forward(x, "erf")
    expected = torch.einsum("soi,sbi->sbo", held.weight, x) + held.bias[:, None]
    torch.testing.assert_close(h, expected, rtol=1e-14, atol=1e-15)
    assert torch.equal(y, torch.erf(h))


def test_one_set_of_inputs_serves_every_seed():
    held, x = layer(3), drawn(1, SAMPLES, IN, seed=2)
    assert torch.equal(held.forward(x, "tanh").x, held.forward(x.expand(3, -1, -1), "tanh").x)


@pytest.mark.parametrize("seeds", [1, 3])
def test_back_and_write_are_its_transposes(seeds):
    held, x, delta = layer(seeds), drawn(seeds, SAMPLES, IN, seed=2), drawn(seeds, SAMPLES, OUT, seed=3)
    expected = torch.einsum("soi,sbo->sbi", held.weight, delta)
    torch.testing.assert_close(held.back(delta), expected, rtol=1e-14, atol=1e-15)
    held.write(delta, x)
    torch.testing.assert_close(held.weight_slope, torch.einsum("sbo,sbi->soi", delta, x), rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(held.bias_slope, delta.sum(1), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("phi", sorted(products.FUSED))
@pytest.mark.parametrize("seeds", [1, 2])
def test_what_is_fused_is_what_is_not(phi, seeds, monkeypatch):
    held = layer(seeds)
    held, x = Dense(held.weight.float(), held.bias.float()), drawn(1, SAMPLES, IN, seed=2).float()
    plain = held.forward(x, phi)
    monkeypatch.setattr(products, "LARGE", 1)
    fused = held.forward(x, phi)
    torch.testing.assert_close(fused.x, plain.x, rtol=1e-5, atol=1e-6)
    assert torch.equal(fused.h, fused.x) == products.onednn(torch.float32)
