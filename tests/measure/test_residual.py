"""The length along skips: written out by hand, with the statistics of the batch, and refused where there are none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import batch_norm, conv2d, pad, relu

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.measure.residual import stream, stream_lengths
from rmtlottery.nets.init import initial
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Digits, Normal, Resnet, Skip
from tests.analyze.drawn import drawn
from tests.conftest import assert_mean


def test_it_is_the_mean_square_before_the_first_block_and_behind_each():
    network = nets.build(Skip(units=5, blocks=2, phi="erf"), (7,), 3)
    weights = initial(Normal(), network.shapes, 0)
    x = torch.randn(6, 7, generator=torch.Generator().manual_seed(0))
    found, exact = stream_lengths(network, weights, x), {name: value.double() for name, value in weights.items()}
    layer = lambda name, h: h @ exact[f"{name}.weight"].T + exact[f"{name}.bias"]  # noqa: E731
    h = layer("fc1", x.double())
    for block in range(3):
        assert found[:, block].numpy() == pytest.approx(h.square().mean(1).numpy(), rel=1e-12)
        if block < 2:
            h = h + layer(f"blocks.{block}.fc2", torch.erf(layer(f"blocks.{block}.fc1", torch.erf(h))))
    assert found.shape == (6, 3)
    assert found.dtype == torch.float64


def normed(weights, name, h):
    return batch_norm(h, None, None, weights[f"{name}.weight"], weights[f"{name}.bias"], training=True)


def by_hand(weights, x):
    """A net of eight layers and its batch's statistics: the streams."""
    h = relu(normed(weights, "norm", conv2d(x, weights["stem.weight"], padding=1)))
    rows = [h]
    for block in range(3):
        name, stride = f"blocks.{block}", 1 if block == 0 else 2
        inner = conv2d(h, weights[f"{name}.conv1.weight"], stride=stride, padding=1)
        inner = conv2d(relu(normed(weights, f"{name}.norm1", inner)), weights[f"{name}.conv2.weight"], padding=1)
        new = inner.shape[1] - h.shape[1]
        h = relu(normed(weights, f"{name}.norm2", inner) + pad(h[..., ::stride, ::stride], (0, 0, 0, 0, 0, new)))
        rows.append(h)
    return [row.square().mean((1, 2, 3)).numpy() for row in rows]


def test_a_normalisation_takes_the_statistics_of_the_batch_and_keeps_nothing():
    network = nets.build(Resnet(depth=8, stem=3), (2, 6, 9), 4)
    lot = torch.Generator().manual_seed(1)
    weights = {name: torch.randn(shape, generator=lot) for name, shape in network.shapes.items()}
    states = (network.module.state_dict(), network.buffers)
    held = [{name: value.clone() for name, value in state.items()} for state in states]
    network.module.eval()
    before, x = {name: value.clone() for name, value in weights.items()}, torch.randn(5, 108, generator=lot)
    found = stream_lengths(network, weights, x)
    exact = {name: value.double() for name, value in weights.items()}
    for block, expected in enumerate(by_hand(exact, x.double().unflatten(1, (2, 6, 9)))):
        assert found[:, block].numpy() == pytest.approx(expected, rel=1e-10)
    assert all(torch.equal(weights[name], value) for name, value in before.items())
    for state, kept in zip(states, held, strict=True):
        assert all(torch.equal(kept[name], value) for name, value in state.items())
    assert not any(block._forward_hooks for block in network.module.get_submodule("blocks")), "no hook is left behind"
    assert torch.equal(stream_lengths(network, weights, x), found)


def test_running_statistics_play_no_part():
    network = nets.build(Resnet(depth=8, stem=3), (2, 6, 9), 4)
    weights, x = network.own(0) | network.buffers, torch.randn(5, 108, generator=torch.Generator().manual_seed(1))
    other = {name: value + 3 if "running" in name else value for name, value in weights.items()}
    assert torch.equal(stream_lengths(network, weights, x), stream_lengths(network, other, x))


def test_a_stream_is_the_test_set_and_says_what_it_is_normalised_by():
    seen = stream(drawn(Skip(units=5, blocks=1), data=Digits()), 30)
    assert torch.equal(seen.x, datasets.dataset(Digits()).test.x[:30])
    assert seen.statistics == "none"
    assert seen.inputs.startswith("30 test inputs of digits; inputs less 4.8")
    assert stream(drawn(Resnet(depth=8, stem=2), data=Digits()), 20).statistics == "of the 20 inputs, one batch"
    assert len(stream(drawn(Skip(units=5), data=Digits()), 2).x) == 2
    whole = stream(drawn(Resnet(depth=8, stem=2), data=Digits()), 10**6)
    assert len(whole.x) == 360
    assert whole.inputs.startswith("360 test inputs of digits")
    assert whole.statistics == "of the 360 inputs, one batch"


def test_what_has_no_skips_is_refused(tiny_run):
    with pytest.raises(Refusal, match="a fc has no blocks with skips over them; take resnet or skip"):
        stream(tiny_run[0, 0], 10)
    with pytest.raises(Refusal, match="samples = 1 is not at least 2"):
        stream(tiny_run[0, 0], 1)
    with pytest.raises(Refusal, match="a ticket without a Spec names no data set"):
        stream(replace(tiny_run[0, 0], spec=None), 10)


def test_wide_nets_are_of_the_length_of_theory():
    """Monte Carlo over inits of inputs that are no wider than a unit."""
    network = nets.build(Skip(units=300, blocks=2), (20,), 4)
    init, x = Normal(sigma_w=1.2, sigma_b=0.4), torch.ones(1, 20)
    lengths = [stream_lengths(network, initial(init, network.shapes, seed), x)[0].numpy() for seed in range(150)]
    theory = rl.meanfield.residual_trajectory(1.2**2 + 0.4**2, 2, 1.2, 0.4)
    for found, expected in zip(np.transpose(lengths), theory, strict=True):
        assert_mean(found, expected, rejects=1.08 * expected, bias=0.01 * expected)
