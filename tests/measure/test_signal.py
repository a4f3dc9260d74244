"""The measured length of a signal is that of the definition, and that of theory where theory holds."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.measure.signal import hidden_lengths, probe
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Normal
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
