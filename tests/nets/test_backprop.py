"""The gradient by hand against autograd, in float64, on unequal shapes."""

import pytest
import torch
from torch.nn.functional import cross_entropy as torch_cross_entropy

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.nets import backprop
from rmtlottery.nets.activation import PHI, PULL
from rmtlottery.nets.dense import Dense
from rmtlottery.nets.init import initial
from rmtlottery.nets.losses import cross_entropy

UNITS, SAMPLES = (5, 7, 3, 4), 11


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def chain(seeds, units=UNITS):
    """Dense layers whose gradients go into tensors of their own."""
    shapes = list(zip(units[1:], units[:-1], strict=True))
    return [
        Dense(drawn(seeds, *shape, seed=n), drawn(seeds, shape[0], seed=-n), drawn(seeds, *shape), drawn(seeds, shape[0]))
        for n, shape in enumerate(shapes, start=1)
    ]


def labels(seeds, classes=UNITS[-1], samples=SAMPLES):
    return torch.randint(classes, (seeds, samples), generator=torch.Generator().manual_seed(3))


def by_autograd(layers, phi, x, y):
    """Loss, right answers and gradients of each seed, from torch's own layers and loss."""
    found = []
    for seed in range(len(y)):
        parameters = [value[seed].clone().requires_grad_() for layer in layers for value in (layer.weight, layer.bias)]
        h = x[seed]
        for place in range(0, len(parameters), 2):
            h = torch.nn.functional.linear(PHI[phi](h) if place else h, *parameters[place : place + 2])
        loss = torch_cross_entropy(h, y[seed])
        found.append((loss.item(), (h.argmax(1) == y[seed]).sum().item(), torch.autograd.grad(loss, parameters)))
    return found


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("phi", sorted(PHI))
def test_loss_hits_and_gradients_are_those_of_autograd(phi, seeds):
    layers, x, y = chain(seeds), drawn(seeds, SAMPLES, UNITS[0], seed=9), labels(seeds)
    loss, hits = backprop.learn(layers, phi, cross_entropy, x, y)
    for seed, (expected, right, gradients) in enumerate(by_autograd(layers, phi, x, y)):
        assert loss[seed].item() == pytest.approx(expected, rel=1e-13)
        assert hits[seed] == right
        ours = [value[seed] for layer in layers for value in (layer.weight_slope, layer.bias_slope)]
        for mine, theirs in zip(ours, gradients, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-14)


def test_the_comparison_sees_a_slope_of_another_activation():
    layers, x, y = chain(1), drawn(1, SAMPLES, UNITS[0], seed=9), labels(1)
    backprop.learn(layers, "tanh", cross_entropy, x, y)
    (_, _, gradients), *_ = by_autograd(layers, "erf", x, y)
    assert (layers[0].weight_slope[0] - gradients[0]).abs().max() > 1e-3


@pytest.mark.parametrize("phi", sorted(PHI))
def test_pull_is_the_slope_at_every_h(phi):
    h = torch.linspace(-6, 6, 241, dtype=torch.float64)[1::2].requires_grad_()
    x = PHI[phi](h)
    g = torch.linspace(-2, 3, len(h), dtype=torch.float64)
    torch.testing.assert_close(PULL[phi](g, h.detach(), x.detach()), torch.autograd.grad(x, h, g)[0], rtol=1e-13, atol=1e-15)


def test_every_activation_has_a_pull():
    assert set(PULL) == set(PHI)


def test_logits_are_those_of_the_network():
    spec = rl.Spec().but(widths="7,3")
    network = nets.build(spec.net, (5,), 4)
    weights = {name: value.unsqueeze(0) for name, value in initial(spec.init, network.shapes, 0).items()}
    x = drawn(1, SAMPLES, 5).float()
    layers = [Dense(weights[f"fc{n}.weight"], weights[f"fc{n}.bias"]) for n in (1, 2, 3)]
    logits = backprop.forward(layers, "tanh", x)[-1].x
    torch.testing.assert_close(logits, network.logits(weights, x), rtol=1e-5, atol=1e-6)
