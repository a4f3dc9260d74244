"""The transformer: attention against loops, places that matter by their vectors alone, and a task that it learns."""

import math

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.nets import build
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Transformer
from rmtlottery.tickets.spec import Spec

PLACES, SYMBOLS, CLASSES = 5, 7, 4
RECALL = {"kind": "recall", "pairs": 3, "keys": 4, "values": 4, "samples": 2000}


def made(units=12, heads=3, blocks=2):
    """A network and weights of it in which no part is left as an init leaves it, as are scales of 1."""
    network = build(Transformer(units=units, heads=heads, blocks=blocks), (PLACES, SYMBOLS), CLASSES)
    stream = torch.Generator().manual_seed(5)
    return network, {
        name: value + 0.3 * torch.randn(value.shape, generator=stream) for name, value in network.own(3).items()
    }


def sequences(*shape):
    return torch.randn(*shape, PLACES * SYMBOLS, generator=torch.Generator().manual_seed(0))


def normalised(h, scale, shift):
    return (h - h.mean()) / np.sqrt(h.var() + 1e-5) * scale + shift


def attended(query, key, value, heads):
    """Place by place and head by head: (places, units)."""
    width, out = query.shape[1] // heads, np.zeros_like(query)
    for head in range(heads):
        own = slice(head * width, (head + 1) * width)
        for place in range(len(query)):
            shares = np.array(
                [math.exp(query[place, own] @ key[other, own] / math.sqrt(width)) for other in range(len(key))]
            )
            out[place, own] = sum(share * value[other, own] for other, share in enumerate(shares / shares.sum()))
    return out


def by_hand(w, x, heads, blocks):
    """Logits of one sequence, in float64."""
    layer = lambda name, h: h @ w[f"{name}.weight"].T + w[f"{name}.bias"]  # noqa: E731
    norm = lambda name, h: np.array([normalised(row, w[f"{name}.weight"], w[f"{name}.bias"]) for row in h])  # noqa: E731
    gelu = np.vectorize(lambda h: h * (1 + math.erf(h / math.sqrt(2))) / 2)
    h = layer("embed", x) + w["places.shift"]
    for block in (f"blocks.{place}" for place in range(blocks)):
        seen = norm(f"{block}.norm1", h)
        query, key, value = (layer(f"{block}.attention.{part}", seen) for part in ("query", "key", "value"))
        h = h + layer(f"{block}.attention.mix", attended(query, key, value, heads))
        h = h + layer(f"{block}.fc2", gelu(layer(f"{block}.fc1", norm(f"{block}.norm2", h))))
    return layer("out", norm("norm", h)[-1])


@pytest.mark.parametrize(("units", "heads", "blocks"), [(12, 3, 2), (6, 1, 1), (8, 4, 1)])
def test_it_computes_what_loops_over_heads_and_places_do(units, heads, blocks):
    network, weights = made(units, heads, blocks)
    w = {name: value.double().numpy() for name, value in weights.items()}
    x = sequences(6)
    expected = [by_hand(w, one.double().numpy().reshape(PLACES, SYMBOLS), heads, blocks) for one in x]
    assert np.allclose(network.logits(weights, x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("units", "heads", "blocks"), [(12, 3, 2), (32, 2, 1)])
def test_there_are_as_many_parameters_as_a_formula_says(units, heads, blocks):
    network, _ = made(units, heads, blocks)
    block = 4 * (units**2 + units) + (8 * units**2 + 5 * units) + 2 * 2 * units
    ends = (SYMBOLS + 1 + PLACES) * units + 2 * units + (units + 1) * CLASSES
    assert sum(math.prod(shape) for shape in network.shapes.values()) == blocks * block + ends


def test_layers_are_in_the_order_in_which_a_signal_meets_them_and_places_are_never_cut():
    network, _ = made(blocks=1)
    inner = ["attention.query", "attention.key", "attention.value", "attention.mix", "fc1", "fc2"]
    assert network.prunable == ["embed.weight", *[f"blocks.0.{name}.weight" for name in inner], "out.weight"]
    assert "places.shift" in network.shapes
    assert network.batched
    assert not network.buffers


@pytest.mark.parametrize("placed", [True, False])
def test_without_places_the_order_of_all_but_the_last_is_not_seen(placed):
    network, weights = made()
    weights |= {"places.shift": weights["places.shift"] * placed}
    x = sequences(6).reshape(6, PLACES, SYMBOLS)
    turned = x[:, [2, 0, 3, 1, 4]]
    apart = network.logits(weights, x.flatten(1)) - network.logits(weights, turned.flatten(1))
    assert (apart.abs().max() > 0.1) if placed else (apart.abs().max() < 1e-5)
    last = network.logits(weights, x.flip(1).flatten(1)) - network.logits(weights, x.flatten(1))
    assert last.abs().max() > 0.1


def test_replicates_compute_what_each_would_alone():
    network, _ = made()
    alone, x = [network.own(seed) for seed in (0, 1, 2)], sequences(3, 6)
    together = {name: torch.stack([held[name] for held in alone]) for name in alone[0]}
    found = network.logits(together, x)
    for place, weights in enumerate(alone):
        torch.testing.assert_close(found[place], network.logits(weights, x[place]), rtol=1e-4, atol=1e-5)


def test_every_parameter_is_drawn_by_seed_and_has_a_gradient():
    """But the bias of the keys, which moves all scores of a query alike; norms begin at 1 and 0 for every seed."""
    network, weights = made()
    first, other = network.own(0), network.own(1)
    assert {name for name in first if torch.equal(first[name], other[name])} == {n for n in first if "norm" in n}
    assert 0.015 < first["places.shift"].std() < 0.025
    held = {name: value[None].requires_grad_() for name, value in weights.items()}
    logits, _ = network.learn(held, {}, sequences(1, 6), lambda seed: 0)
    for name, gradient in zip(held, torch.autograd.grad(logits.square().sum(), list(held.values())), strict=True):
        assert (gradient.abs().max() > 1e-3) != name.endswith("key.bias")


def test_building_leaves_torchs_own_generator_as_it_was():
    before = torch.get_rng_state()
    build(Transformer(units=10), (3, 4), 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_learns_to_recall(tmp_path):
    """To say the value that is shown most often is right for 9 of 16."""
    spec = rl.Spec().but(net="transformer", data=RECALL, init="own", levels=0, epochs=3, lr=3e-3, batch=64, seeds=(0,))
    run = rl.fit(spec, tmp_path)
    assert run[0, 0].metrics[-1]["test_accuracy"] > 0.95
    assert Spec.from_json(run.spec.to_json()) == run.spec


def test_it_is_pruned_as_others_are(tmp_path):
    """50 % cuts of 8x8 matrices leave 32, seed by seed alike."""
    net = {"kind": "transformer", "units": 8}
    spec = rl.Spec().but(net=net, data=RECALL, epochs=1, levels=1, rate=0.5, batch=400, seeds=(0, 1))
    run = rl.fit(spec, tmp_path)
    assert {int(run[seed, 1].mask["blocks.0.attention.key.weight"].sum()) for seed in (0, 1)} == {32}
    assert not torch.equal(run[0, 1].weights["places.shift"], run[0, 1].rewound["places.shift"])


@pytest.mark.parametrize("shape", [(35,), (1, 8, 8)])
def test_inputs_that_are_no_sequences_are_refused(shape):
    with pytest.raises(Refusal, match=r"a transformer takes sequences \(places, symbols\), and these inputs .*; take fc"):
        build(Transformer(), shape, 10)


def test_units_that_heads_cannot_share_are_refused():
    with pytest.raises(Refusal, match="units = 32 cannot be shared out among heads = 3; take a multiple of it"):
        build(Transformer(heads=3), (5, 7), 10)
