"""The measured length of a signal is that of the definition, and that of theory where theory holds."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.measure import signal
from rmtlottery.measure.signal import Probe, gains, hidden_lengths, over_inputs, probe, reached, window_mean
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal
from tests.conftest import assert_mean


def test_it_is_the_mean_over_units_and_inputs_of_h_squared():
    network = nets.build(FC(widths=(3, 2)), (4,), 5)
    weights = initial(Normal(), network.shapes, 0)
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    w = {name: value.double().numpy() for name, value in weights.items()}
    h1 = x.double().numpy() @ w["fc1.weight"].T + w["fc1.bias"]
    h2 = np.tanh(h1) @ w["fc2.weight"].T + w["fc2.bias"]
    assert hidden_lengths(network, weights, x) == pytest.approx([np.mean(h1**2), np.mean(h2**2)], rel=1e-12)


@pytest.mark.parametrize("phi", ["tanh", "erf", "relu"])
def test_wide_nets_of_unequal_widths_follow_the_length_map(phi):
    """Monte Carlo over inits against the trajectory of theory; a transposed fan-in or a dropped square is refused."""
    widths, x = (150, 400, 250), torch.ones(1, 30)
    network = nets.build(FC(widths=widths, phi=phi), (30,), 10)
    init = Normal(sigma_w=1.5, sigma_b=0.4)
    samples = np.array([hidden_lengths(network, initial(init, network.shapes, seed), x) for seed in range(300)])
    q1 = 1.5**2 * 1 + 0.4**2
    theory = rl.meanfield.trajectory(q1, 3, 1.5, 0.4, phi)
    for layer in range(3):
        bias = 0.01 * theory[layer] * layer
        assert_mean(samples[:, layer], theory[layer], rejects=1.1 * theory[layer], bias=bias)


def test_the_probe_is_the_test_set_and_says_so(tiny_run):
    seen = probe(tiny_run[0, 0], samples=50)
    assert seen.x.shape == (50, 64)
    assert seen.words.startswith("50 test inputs of digits; inputs less 4.8")
    assert len(probe(tiny_run[0, 0], samples=10**6).x) == 360


def test_the_probe_has_labels_and_training_inputs(tiny_run):
    seen, data = probe(tiny_run[0, 0], samples=50), datasets.dataset(tiny_run.spec.data)
    assert torch.equal(seen.y, data.test.y[:50])
    assert torch.equal(seen.train.x, data.train.x)
    assert torch.equal(seen.train.y, data.train.y)


def test_of_very_many_training_inputs_the_first_are_taken(tiny_run, monkeypatch):
    monkeypatch.setattr(signal, "TRAINING", 30)
    train = probe(tiny_run[0, 0], samples=5).train
    assert (train.x.shape, train.y.shape) == ((30, 64), (30,))


def test_a_probe_may_have_inputs_alone():
    seen = Probe(nets.build(FC(widths=(3,)), (4,), 5), torch.ones(2, 4))
    assert (seen.words, seen.y, seen.train) == ("", None, None)


def test_chi_and_gain_are_those_of_explicit_matrices():
    network = nets.build(FC(widths=(5, 3)), (4,), 2)
    weights = {name: value.double() for name, value in initial(Normal(), network.shapes, 0).items()}
    x = torch.randn(70, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = gains(network, weights, x)
    for number, (chi, gain) in enumerate(found, start=1):
        w = weights[f"fc{number}.weight"].numpy()
        h = network.preactivations(weights, x)[number - 1].numpy()
        assert gain == pytest.approx((w**2).sum() / len(w), rel=1e-12)
        jacobians = w / np.cosh(h[:, :, None]) ** 2
        assert chi == pytest.approx((jacobians**2).sum((1, 2)).mean() / len(w), rel=1e-12)
    assert number == 2


def test_the_gain_of_a_convolution_leaves_out_what_is_beyond_the_edge():
    """3x3 on 4x5 pixels: outer rows of the kernel see 3 of 4, outer columns 4 of 5."""
    network = nets.build(Conv(channels=(6,), padding="zero"), (2, 4, 5), 2)
    weights = initial(Normal(), network.shapes, 0)
    squares = weights["conv1.weight"].double().square().sum((0, 1)).numpy() / 6
    ((_, gain),) = gains(network, weights, torch.ones(1, 40))
    assert gain == pytest.approx((squares * np.outer([3, 4, 3], [4, 5, 4]) / 20).sum(), rel=1e-10)


def test_facts_are_averaged_over_all_inputs_however_many_are_sent_at_a_time(monkeypatch):
    network = nets.build(FC(widths=(5, 3)), (4,), 2)
    weights, x = initial(Normal(), network.shapes, 0), torch.randn(130, 4, generator=torch.Generator().manual_seed(0))
    facts = [lambda layer, weight, given, h: given, lambda layer, weight, given, h: h.abs()]
    whole = over_inputs(network, weights, x, *facts)
    assert [len(row) for row in whole] == [2, 2]
    assert whole[0][0] == pytest.approx(x.double().mean().item(), rel=1e-9)
    monkeypatch.setattr(signal, "PORTION", 7)
    assert np.allclose(over_inputs(network, weights, x, *facts), whole, rtol=1e-12)


def test_it_is_reached_as_far_as_nothing_is_pooled():
    kinds = {(): 4, (1,): 1, (3,): 3}
    for pools, layers in kinds.items():
        net = Conv(channels=(2, 2, 2), widths=(3,), pools=pools, readout="flat")
        assert reached(nets.build(net, (1, 8, 8), 2)) == layers
    assert reached(nets.build(Conv(channels=(2, 2), widths=(3,)), (1, 8, 8), 2)) == 2, "a mean over pixels pools too"


def test_the_window_of_a_fully_connected_layer_is_all_there_is():
    layer = nets.build(FC(widths=(5,)), (4,), 2).layers[0]
    x = torch.arange(12.0).reshape(3, 1, 2, 2)
    assert torch.equal(window_mean(layer, torch.ones(()), x), x.flatten(1).mean(1, keepdim=True))
