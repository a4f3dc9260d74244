"""The fully connected residual net: its blocks written out, its layers in order, and inits that reach all of them."""

import math

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.nets import build
from rmtlottery.nets.init import drawn
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Skip
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.material import material

PHI = {"tanh": np.tanh, "relu": lambda h: np.maximum(h, 0)}


@pytest.mark.parametrize("phi", PHI)
def test_every_block_adds_two_layers_of_its_stream(phi):
    network = build(Skip(phi=phi, units=5, blocks=2), (2, 3), 4)
    weights = network.own(3)
    x = torch.randn(7, 6, generator=torch.Generator().manual_seed(0))
    w = {name: value.double().numpy() for name, value in weights.items()}
    layer = lambda name, h: h @ w[f"{name}.weight"].T + w[f"{name}.bias"]  # noqa: E731
    h = layer("fc1", x.double().numpy())
    for block in ("blocks.0", "blocks.1"):
        h = h + layer(f"{block}.fc2", PHI[phi](layer(f"{block}.fc1", PHI[phi](h))))
    assert np.allclose(network.logits(weights, x), layer("out", PHI[phi](h)), rtol=1e-5, atol=1e-6)


def test_layers_are_in_the_order_in_which_a_signal_meets_them():
    network = build(Skip(units=5, blocks=2), (3, 2, 1), 4)
    inner = [f"blocks.{block}.fc{place}.weight" for block in (0, 1) for place in (1, 2)]
    assert network.prunable == ["fc1.weight", *inner, "out.weight"]
    assert [network.shapes[name] for name in network.prunable] == [(5, 6), *[(5, 5)] * 4, (4, 5)]
    assert network.batched
    assert not network.buffers


def test_building_leaves_torchs_own_generator_as_it_was():
    before = torch.get_rng_state()
    build(Skip(units=11, blocks=1), (5,), 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_init_draws_every_weight_and_bias():
    spec = rl.preset("first").but(net={"kind": "skip", "units": 90, "blocks": 3}, sigma_w=1.7, sigma_b=0.6)
    held = material(spec)
    assert set(drawn(held.network.shapes, held.network.prunable)) == set(held.network.shapes)
    theta = held.theta(0)
    for name in held.network.prunable:
        fan_in = theta[name].shape[1]
        assert theta[name].std().item() == pytest.approx(1.7 / math.sqrt(fan_in), rel=0.1)
    biases = torch.cat([value for name, value in theta.items() if name.endswith("bias")])
    assert biases.std().item() == pytest.approx(0.6, rel=0.12)


def test_it_is_trained_and_pruned_as_others_are(tmp_path):
    """50 % cuts of blocks of 36 weights leave 18, seed by seed alike."""
    spec = rl.preset("first").but(net={"kind": "skip", "units": 6, "blocks": 2}, epochs=1, levels=1, rate=0.5)
    run = rl.fit(spec, tmp_path)
    assert {int(run[seed, 1].mask["blocks.1.fc2.weight"].sum()) for seed in (0, 1)} == {18}
    assert not torch.equal(run[0, 1].weights["blocks.0.fc1.weight"], run[0, 1].rewound["blocks.0.fc1.weight"])
    assert Spec.from_json(run.spec.to_json()) == run.spec


def test_a_net_without_blocks_is_refused():
    with pytest.raises(Refusal, match="blocks = 0 is not at least 1"):
        Skip(blocks=0)
