"""iid probes give back the size of the weights, layer by layer, and are blind to how weights and signals go together."""

import numpy as np
import pytest
import torch

from rmtlottery import nets
from rmtlottery.meanfield import activation
from rmtlottery.measure import probes
from rmtlottery.measure.probes import probed_lengths
from rmtlottery.measure.signal import hidden_lengths
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal
from tests.conftest import assert_mean

INIT = Normal(sigma_w=1.5, sigma_b=0.4)
X = torch.randn(60, 20, generator=torch.Generator().manual_seed(0)) * 1.3 + 0.5


def by_size(network, weights, x, lengths):
    """|W|_F^2/fan_out V(q of the layer below) + <b^2>, the inputs' mean square in place of V."""
    V, found, below = activation("tanh").V, [], x.double().square().mean().item()
    for layer, length in zip(network.layers[:-1], lengths, strict=True):
        w, b = (weights[f"{layer.name}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        found.append((w**2).sum() / len(w) * below + (b**2).mean())
        below = V(length)
    return found


@pytest.fixture
def fresh(monkeypatch):
    """Probes of their own for every seed: by default all nets have the same."""
    return lambda seed: monkeypatch.setattr(probes, "generator", lambda *_: np.random.default_rng(seed))


def test_probes_find_the_size_of_the_weights_at_the_measured_length_below(fresh):
    """Over nets, of unequal widths and pruned unevenly."""
    network = nets.build(FC(widths=(30, 50, 40)), (20,), 3)
    ratios = []
    for seed in range(60):
        weights = initial(INIT, network.shapes, seed)
        weights["fc2.weight"][:, ::2] = 0
        lengths = hidden_lengths(network, weights, X)
        fresh(seed)
        found = probed_lengths(network, weights, X, lengths)
        ratios.append(np.array(found) / by_size(network, weights, X, lengths))
    for layer in range(3):
        assert_mean(np.array(ratios)[:, layer], 1.0, rejects=1.03, bias=0.003)


@pytest.fixture(scope="module")
def aligned():
    """The second layer adds up what the first makes alike of all inputs."""
    network = nets.build(FC(widths=(60, 45)), (20,), 3)
    weights = initial(INIT, network.shapes, 0)
    x = torch.tanh(network.preactivations(weights, X)[0])
    top = torch.linalg.eigh(x.T @ x)[1][:, -1]
    weights["fc2.weight"] += torch.outer(torch.randn(45, generator=torch.Generator().manual_seed(1)), top)
    return network, weights


def test_they_hide_an_alignment_that_is_there(aligned):
    network, weights = aligned
    lengths = hidden_lengths(network, weights, X)
    expected = by_size(network, weights, X, lengths)
    assert probed_lengths(network, weights, X, lengths, samples=4000) == pytest.approx(expected, rel=0.03)
    assert lengths[1] > 2 * expected[1]


def test_more_probes_are_nearer(aligned):
    network, weights = aligned
    lengths = hidden_lengths(network, weights, X)
    expected = np.array(by_size(network, weights, X, lengths))
    off = [np.abs(probed_lengths(network, weights, X, lengths, samples) / expected - 1).max() for samples in (10, 50000)]
    assert off[1] < 0.01 < off[0]


def test_lengths_are_those_told_and_not_those_the_probes_have(aligned):
    """Each layer is probed by itself: the length of layer 1 changes what layer 2 gives, its own does not."""
    network, weights = aligned
    base, first, second = (probed_lengths(network, weights, X, told) for told in ([1.0, 1.0], [4.0, 1.0], [1.0, 4.0]))
    assert first[0] == base[0] == second[0]
    assert first[1] > 1.2 * base[1]
    assert second[1] == base[1]


@pytest.mark.parametrize(("padding", "other"), [("circular", "zero"), ("zero", "circular")])
def test_convolutions_are_probed_pixel_by_pixel_and_zeros_around_them_stay_zero(padding, other, fresh):
    """Of 5 x 6 pixels the outer rows of a kernel see 4 rows, its outer columns 5 columns."""
    network = nets.build(Conv(channels=(40, 30), padding=padding), (2, 5, 6), 3)
    x = torch.randn(9, 60, generator=torch.Generator().manual_seed(2))
    V, below, ratios = activation("tanh").V, x.double().square().mean().item(), {padding: [], other: []}
    seen = {"zero": np.outer([4, 5, 4], [5, 6, 5]) / 30, "circular": np.ones((3, 3))}
    for seed in range(40):
        weights = {name: value * (value.abs() > 0.05) for name, value in initial(INIT, network.shapes, seed).items()}
        fresh(seed)
        found = np.array(probed_lengths(network, weights, x, [0.9, 1.7], samples=64))
        for edges, held in ratios.items():
            q = []
            for name, square in (("conv1", below), ("conv2", V(0.9))):
                kernel, b = (weights[f"{name}.{kind}"].double().numpy() for kind in ("weight", "bias"))
                q.append(((kernel**2).sum((0, 1)) * seen[edges]).sum() / len(kernel) * square + (b**2).mean())
            held.append(found / q)
    for layer in (0, 1):
        wrong = np.mean(np.array(ratios[padding])[:, layer] / np.array(ratios[other])[:, layer])
        assert_mean(np.array(ratios[padding])[:, layer], 1.0, rejects=1 / wrong, bias=0.005)


def test_the_same_probes_every_time(aligned):
    network, weights = aligned
    assert probed_lengths(network, weights, X, [1.0, 1.0]) == probed_lengths(network, weights, X, [1.0, 1.0])
