"""A layer's weights as functions of arrays: the same as torch makes of them, whatever the layer."""

import numpy as np
import pytest
import torch

from rmtlottery import nets
from rmtlottery.measure.linear import functions
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal

X = torch.randn(3, 84, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(
    "net", [FC(widths=(7, 5)), Conv(channels=(3, 4), padding="zero", strides=(2,)), Conv(channels=(3, 4), readout="flat")]
)
def test_they_take_the_signal_from_layer_to_layer(net):
    network = nets.build(net, (2, 6, 7), 3)
    weights = {name: value.double() for name, value in initial(Normal(), network.shapes, 0).items()}
    signals = network.signals(weights, X)
    x = network.layers[0].prepare(X).numpy()
    for (once, _, _, bias), (_, h) in zip(functions(network, weights, 2), signals, strict=False):
        found = once(x) + bias
        np.testing.assert_allclose(found, h.numpy(), rtol=1e-12)
        x = np.tanh(found)


def test_squares_and_fourths_are_of_each_weight():
    network = nets.build(FC(widths=(7, 5)), (84,), 3)
    weights = initial(Normal(), network.shapes, 0)
    w = weights["fc1.weight"].double().numpy()
    _, twice, fourfold, bias = functions(network, weights, 1)[0]
    np.testing.assert_allclose(twice(X.numpy()), X.numpy() @ (w**2).T, rtol=1e-12)
    np.testing.assert_allclose(fourfold(X.numpy()), X.numpy() @ (w**4).T, rtol=1e-12)
    np.testing.assert_allclose(bias, weights["fc1.bias"].double().numpy()[None])


def test_a_layer_without_a_bias_has_none():
    network = nets.build(Conv(channels=(3, 4), bias=False), (2, 6, 7), 3)
    assert functions(network, initial(Normal(), network.shapes, 0), 1)[0][3] == 0
