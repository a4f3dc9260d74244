"""Jacobians against torch's own, one input at a time, and against products of matrices."""

import pytest
import torch
from torch.autograd.functional import jacobian

from rmtlottery import nets
from rmtlottery.measure import jacobian as measured
from rmtlottery.measure.jacobian import gains, jacobians, module_jacobians, singular_values
from rmtlottery.nets.activation import PHI
from rmtlottery.nets.init import initial
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import FC, Conv, Normal, Resnet

NETS = [
    FC(widths=(7, 5, 6)),
    Conv(channels=(3, 4), padding="circular", widths=(5,)),
    Conv(channels=(3, 2), padding="zero", strides=(2,), readout="flat"),
    Conv(channels=(2, 3, 2), kernel=2, padding="none", pools=(2,)),
    Conv(channels=(2, 3), padding="circular", pools=(1, 2), readout="flat"),
]


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def built(net):
    """A network for pictures of 2 x 6 x 7, its weights in float32 as in a ticket, and three inputs."""
    network = nets.build(net, (2, 6, 7), 4)
    return network, initial(Normal(sigma_w=1.5), network.shapes, 0), normal(3, 84)


@pytest.mark.parametrize("net", NETS, ids=["fc", "circular", "strided", "pooled", "pooled twice"])
def test_they_are_those_of_torch_between_any_two_layers(net, monkeypatch):
    monkeypatch.setattr(measured, "AT_ONCE", 2000)
    network, weights, x = built(net)
    exact = {name: value.double() for name, value in weights.items()}
    states = [x.double(), *network.preactivations(exact, x.double())]
    for first, last in [(0, 1), (0, len(network.layers)), (1, 2), (1, len(network.layers)), (2, 3)]:
        found = jacobians(network, weights, x, first, last)
        assert found.dtype == torch.float64
        for one, h, made in zip(found, states[first], states[last], strict=True):
            expected = jacobian(measured.between(network, exact, first, last), h[None])
            torch.testing.assert_close(one, expected.reshape(made.numel(), h.numel()), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("phi", PHI)
def test_those_of_a_fully_connected_chain_are_products_of_weights_and_gains(phi):
    network, weights, x = built(FC(widths=(7, 5, 6), phi=phi))
    w = {number: weights[f"fc{number}.weight"].double() for number in (1, 2, 3, 4)}
    d = {layer: gains(network, weights, x, layer)[:, None, :] for layer in (1, 2, 3)}
    hidden = (w[3] * d[2]) @ (w[2] * d[1])
    torch.testing.assert_close(jacobians(network, weights, x, 1, 3), hidden, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(jacobians(network, weights, x, 0, 4), (w[4] * d[3]) @ hidden @ w[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("net", NETS[:3], ids=["fc", "circular", "strided"])
def test_they_are_differences_of_what_the_net_makes(net):
    network, weights, x = built(net)
    exact, eps = {name: value.double() for name, value in weights.items()}, 1e-6
    direction = normal(84, seed=1).double()
    far, near = (network.logits(exact, x.double() + sign * eps * direction) for sign in (1, -1))
    found = jacobians(network, weights, x, 0, len(network.layers)) @ direction
    torch.testing.assert_close(found, (far - near) / (2 * eps), rtol=1e-6, atol=1e-8)


def test_gains_are_slopes_at_the_preactivations_of_their_layer():
    network, weights, x = built(FC(widths=(7, 5), phi="tanh"))
    w = {name: value.double() for name, value in weights.items()}
    h = torch.tanh(x.double() @ w["fc1.weight"].T + w["fc1.bias"]) @ w["fc2.weight"].T + w["fc2.bias"]
    torch.testing.assert_close(gains(network, weights, x, 2), 1 / torch.cosh(h) ** 2, rtol=1e-12, atol=0)
    network, weights, x = built(NETS[1])
    assert gains(network, weights, x, 1).shape == (3, 3 * 42)


@pytest.mark.parametrize("at_once", [1, 400, 10**6])
def test_they_do_not_depend_on_how_much_is_sent_at_a_time(at_once, monkeypatch):
    network, weights, x = built(NETS[4])
    whole = jacobians(network, weights, x, 0, 2)
    monkeypatch.setattr(measured, "AT_ONCE", at_once)
    torch.testing.assert_close(jacobians(network, weights, x, 0, 2), whole, rtol=1e-12, atol=1e-15)


def test_no_more_is_sent_at_a_time_than_it_says(monkeypatch):
    monkeypatch.setattr(measured, "AT_ONCE", 3 * 84 * 4)
    seen = []

    def function(x):
        seen.append(len(x))
        return x[:, :9] ** 2

    measured.by_rows(function, normal(3, 84), 84)
    assert max(seen) == 3 * 4


def test_a_module_has_those_of_torch():
    network = nets.build(Resnet(depth=8, stem=3), (1, 6, 5), 4)
    weights = {name: value.double() for name, value in (network.own(0) | network.buffers).items()}
    logits = lambda x: network.logits(weights, x)  # noqa: E731
    x = normal(3, 30).double()
    found = module_jacobians(logits, x)
    assert found.shape == (3, 4, 30)
    for one, input_ in zip(found, x, strict=True):
        torch.testing.assert_close(one, jacobian(logits, input_[None]).reshape(4, 30), rtol=1e-10, atol=1e-12)


def test_a_function_may_branch_and_pictures_are_flattened():
    """What vmap would not take: a branch on a number, item by item."""

    def function(x):
        return torch.stack([2 * one.square() if one.sum().item() > 0 else -one for one in x])

    found = module_jacobians(function, torch.stack([torch.full((2, 3), 1.5), torch.full((2, 3), -1.0)]))
    assert torch.equal(found, torch.stack([6 * torch.eye(6), -torch.eye(6)]))


def test_a_function_that_mixes_its_inputs_is_refused():
    with pytest.raises(Refusal, match="depends on the others with it; put the module in eval mode"):
        module_jacobians(torch.nn.BatchNorm1d(5), normal(3, 5))


def test_they_are_found_where_gradients_are_switched_off():
    with torch.no_grad():
        assert torch.equal(module_jacobians(torch.square, torch.ones(1, 2)), 2 * torch.eye(2)[None])


def test_singular_values_are_right_down_to_rounding_of_the_largest():
    """What a Gram matrix would leave below 1e-8 is noise; a net's smallest reach 3e-11."""
    u, v = (torch.linalg.qr(normal(2, n, 5).double())[0] for n in (6, 9))
    graded = torch.tensor([[1, 1e-3, 1e-6, 1e-9, 3e-11], [7.0, 5, 3, 2, 1]], dtype=torch.float64)
    found = singular_values(u * graded[:, None, :] @ v.mT)
    torch.testing.assert_close(found[:, :5], graded, rtol=1e-4, atol=0)
    assert found.shape == (2, 6)


def test_singular_values_of_what_is_not_finite_are_refused():
    with pytest.raises(Refusal, match="6 numbers of the Jacobians are not finite; has the net diverged"):
        singular_values(torch.full((1, 2, 3), torch.inf))


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (1, 1), (2, 1), (0, 5)])
def test_layers_that_are_none_are_refused(first, last):
    network, weights, x = built(NETS[0])
    with pytest.raises(Refusal, match=f"no Jacobian leads from layer {first} to {last} of 4; take 0 <= first < last <= 4"):
        jacobians(network, weights, x, first, last)


@pytest.mark.parametrize("layer", [0, 4])
def test_gains_are_of_hidden_layers(layer):
    network, weights, x = built(NETS[0])
    with pytest.raises(Refusal, match=f"layer = {layer} is none of the 3 hidden layers"):
        gains(network, weights, x, layer)


def test_more_than_memory_takes_is_refused():
    x = torch.zeros(2000, 500)
    with pytest.raises(Refusal, match=r"Jacobians of shape \(2000, 500, 500\) need 4 GB; take fewer inputs, or"):
        module_jacobians(torch.square, x)
