"""The fully connected net against loops over single numbers."""

import math

import pytest
import torch

from rmtlottery.nets import CHAINS, MODULES, build
from rmtlottery.tickets.parts import FC
from rmtlottery.tickets.spec import kinds

BY_HAND = {"tanh": math.tanh, "erf": math.erf, "relu": lambda h: max(h, 0.0)}
WIDTHS = (5, 2, 4)


def drawn(network, *leading):
    stream = torch.Generator().manual_seed(0)
    return {n: torch.randn(*leading, *s, generator=stream, dtype=torch.float64) for n, s in network.shapes.items()}


def inputs(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def looped(weights, x, phi):
    """Pre-activations of one sample, number by number."""
    found, layers = [], len(weights) // 2
    for layer in range(1, layers + 1):
        matrix, bias = weights[f"fc{layer}.weight"].tolist(), weights[f"fc{layer}.bias"].tolist()
        h = [bias[i] + sum(matrix[i][j] * x[j] for j in range(len(x))) for i in range(len(bias))]
        found.append(h)
        x = [phi(value) for value in h]
    return found


def test_names_and_shapes_go_layer_by_layer_and_out_comes_first():
    assert list(build(FC(widths=(5, 2)), (7,), 3).shapes.items()) == [
        ("fc1.weight", (5, 7)), ("fc1.bias", (5,)), ("fc2.weight", (2, 5)), ("fc2.bias", (2,)),
        ("fc3.weight", (3, 2)), ("fc3.bias", (3,)),
    ]  # fmt: skip


@pytest.mark.parametrize("phi", BY_HAND)
def test_preactivations_are_those_of_a_loop(phi):
    network = build(FC(widths=WIDTHS, phi=phi), (3,), 6)
    weights, x = drawn(network), inputs(7, 3)
    found = network.preactivations(weights, x)
    assert [tuple(h.shape) for h in found] == [(7, 5), (7, 2), (7, 4), (7, 6)]
    for sample in range(7):
        for h, expected in zip(found, looped(weights, x[sample].tolist(), BY_HAND[phi]), strict=True):
            assert h[sample].tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("shared", [True, False], ids=["shared inputs", "inputs of their own"])
def test_replicates_compute_what_each_would_alone(shared):
    network = build(FC(widths=WIDTHS), (3,), 6)
    weights = drawn(network, 4)
    x = inputs(1, 7, 3) if shared else inputs(4, 7, 3)
    together = network.preactivations(weights, x)
    for replicate in range(4):
        alone = network.preactivations({n: w[replicate] for n, w in weights.items()}, x[0 if shared else replicate])
        for h, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(h[replicate], expected, rtol=1e-12, atol=1e-12)


def test_one_replicates_gradient_is_blind_to_the_others():
    network = build(FC(widths=WIDTHS), (3,), 6)
    weights = {name: value.requires_grad_() for name, value in drawn(network, 3).items()}
    logits = network.logits(weights, inputs(3, 7, 3))
    for gradient in torch.autograd.grad(logits[1].square().sum(), list(weights.values())):
        assert (gradient[[0, 2]] == 0).all()
        assert gradient[1].abs().sum() > 0


def test_every_kind_of_net_is_built():
    assert set(CHAINS) | set(MODULES) | {"module"} == set(kinds("net"))
