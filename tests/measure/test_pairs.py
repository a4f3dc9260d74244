"""Correlations of pairs of inputs, against numpy."""

import numpy as np
import pytest
import torch

from rmtlottery import nets
from rmtlottery.measure.pairs import correlations
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal

SHAPE = (2, 4, 5)
X = torch.randn(7, 40, generator=torch.Generator().manual_seed(0)) + 0.7
NETS = {"fc": FC(widths=(9, 30)), "zero": Conv(channels=(3, 5), padding="zero", strides=(2,), widths=(4,))}


@pytest.mark.parametrize("name", NETS)
def test_they_are_cosines_over_units_and_pixels_not_centred(name):
    network = nets.build(NETS[name], SHAPE, 3)
    weights = initial(Normal(), network.shapes, 0)
    found = correlations(network, weights, X)
    exact = {key: value.double() for key, value in weights.items()}
    signals = network.preactivations(exact, X.double())
    assert len(found) == len(network.layers) - 1
    for h, c in zip(signals, found, strict=False):
        flat = h.flatten(1).numpy()
        lengths = np.linalg.norm(flat, axis=1)
        assert np.allclose(c.numpy(), flat @ flat.T / np.outer(lengths, lengths), rtol=1e-12)
        assert np.allclose(c.diagonal().numpy(), 1)
        assert not np.allclose(c.numpy(), np.corrcoef(flat), atol=1e-3)


def test_alike_is_1_opposite_is_minus_1():
    network = nets.build(FC(widths=(9, 30)), (40,), 3)
    weights = {name: value * (value.dim() > 1) for name, value in initial(Normal(), network.shapes, 0).items()}
    for c in correlations(network, weights, torch.cat([X[:1], 3 * X[:1], -X[:1]])):
        assert c[0, 1] > 0.7
        assert c[0, 2].item() == pytest.approx(-1)


@pytest.mark.parametrize("sigma_b", [0.3, 0.0])
def test_of_a_dead_layer_all_is_finite(sigma_b):
    """Where biases are left all inputs are alike; where nothing is left no number is made up that is none."""
    network = nets.build(FC(widths=(9, 30)), (40,), 3)
    weights = initial(Normal(sigma_b=sigma_b), network.shapes, 0)
    weights["fc2.weight"] = torch.zeros_like(weights["fc2.weight"])
    _, dead = correlations(network, weights, X)
    assert torch.isfinite(dead).all()
    if sigma_b:
        assert torch.allclose(dead, torch.ones_like(dead))
