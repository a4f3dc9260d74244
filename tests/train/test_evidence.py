"""Gradients, curvature and flow of nets of three and four units, against formulas that are written out here."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from rmtlottery.datasets.dataset import Split
from rmtlottery.nets import build, chain
from rmtlottery.prune.criteria import CRITERIA, evidence_for
from rmtlottery.tickets.parts import FC, Conv
from rmtlottery.train.evidence import EVIDENCE, TEMPERATURE, Scene
from tests.conftest import assert_mean

NET = FC(phi="tanh", widths=(1,))  # three units: 3 inputs -> a hidden one -> 2 outputs
A, B, C, D = np.array([0.7, -1.1, 0.4]), 0.2, np.array([1.3, -0.6]), np.array([0.1, -0.3])
X = np.array([[0.5, -1.0, 2.0], [-0.8, 0.3, 0.9], [1.5, 0.7, -0.4], [0.1, 0.2, -1.7]])
Y = np.array([0, 1, 1, 0])


def scene(dtype=torch.float64, **changes):
    weights = {"fc1.weight": A[None], "fc1.bias": np.array([B]), "fc2.weight": C[:, None], "fc2.bias": D}
    held = {name: torch.tensor(value, dtype=dtype) for name, value in weights.items()}
    parts = {"network": build(NET, (3,), 2), "linear": chain(NET, (3,), 2, phi=lambda h: h), "weights": held, "start": held,
             "mask": {n: torch.ones(held[n].shape, dtype=torch.bool) for n in ("fc1.weight", "fc2.weight")},
             "samples": Split(torch.tensor(X, dtype=dtype), torch.tensor(Y)), "seed": 4, "level": 2}  # fmt: skip
    return Scene(**(parts | changes))


def slope_by_hand(theta, temperature=1.0, loss="cross_entropy"):
    """Gradient of the mean loss in (a1, a2, a3, b, c1, c2, d1, d2), sample by sample."""
    a, b, c, d = theta[:3], theta[3], theta[4:6], theta[6:8]
    total = np.zeros(8)
    for x, y in zip(X, Y, strict=True):
        t = math.tanh(a @ x + b)
        z = (c * t + d) / temperature
        p = np.exp(z) / np.exp(z).sum() if loss == "cross_entropy" else z
        error = (p - np.eye(2)[y]) / temperature  # dL / d(c t + d)
        back = (error @ c) * (1 - t**2)
        total += np.concatenate([back * x, [back], error * t, error]) / len(X)
    return total


THETA = np.concatenate([A, [B], C, D])


def vector(named):
    return np.concatenate(
        [named[n].double().flatten().numpy() for n in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")]
    )


def test_the_start_is_handed_on():
    held = scene()
    assert EVIDENCE["start"](held) is held.start


def test_the_gradient_is_that_of_the_loss_that_is_minimised():
    found = vector(EVIDENCE["gradient"](scene(minimised="squared")))
    np.testing.assert_allclose(found, slope_by_hand(THETA, loss="squared"), rtol=1e-12)
    assert np.abs(found - slope_by_hand(THETA)).max() > 0.01


def test_the_gradient_is_that_of_the_mean_loss_by_hand():
    np.testing.assert_allclose(vector(EVIDENCE["gradient"](scene())), slope_by_hand(THETA), rtol=1e-10, atol=1e-14)


def test_snip_is_the_loss_felt_by_a_connection():
    """|w dL/dw| is |dL/dm| at m = 1 of a gate m on the weight: by differences of the loss."""

    def loss(theta):
        z = np.tanh(X @ theta[:3] + theta[3])[:, None] * theta[4:6] + theta[6:8]
        return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(4), Y])

    held = scene()
    scores = [CRITERIA["snip"](held.weights[n], None, gradient=EVIDENCE["gradient"](held)[n]) for n in held.network.prunable]
    for at, score in zip((0, 1, 2, 4, 5), torch.cat([s.flatten() for s in scores]).tolist(), strict=True):
        gates = [np.where(np.arange(8) == at, THETA * gate, THETA) for gate in (1 + 1e-5, 1 - 1e-5)]
        assert score == pytest.approx(abs(loss(gates[0]) - loss(gates[1])) / 2e-5, rel=1e-7)


def test_the_temperature_is_that_of_the_paper():
    assert TEMPERATURE == 200


@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_the_curvature_is_the_hessian_times_the_gradient(dtype, within):
    """(g(theta + e g) - g(theta - e g)) / 2e is H g; of logits over 200; biases stand still."""
    found = vector(EVIDENCE["curvature"](scene(dtype)))
    expected = along(WEIGHTS, 200.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=within * np.abs(expected).max())
    for wrong in (along(WEIGHTS, 1.0), along(WEIGHTS, 100.0), along(np.ones(8), 200.0)):
        assert np.abs(found - wrong).max() > 0.01 * np.abs(expected).max()


def test_the_curvature_moves_kept_weights_alone():
    """With the second input's weight cut, the gradient flow is that of four weights."""
    held = scene()
    mask = {"fc1.weight": torch.tensor([[True, False, True]]), "fc2.weight": torch.ones(2, 1, dtype=torch.bool)}
    cut = {name: torch.where(mask[name], value, 0.0) if name in mask else value for name, value in held.weights.items()}
    found = vector(EVIDENCE["curvature"](scene(weights=cut, mask=mask)))
    theta = np.where(np.arange(8) == 1, 0, THETA)
    expected = along(np.where(np.arange(8) == 1, 0, WEIGHTS), 200.0, theta)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.abs(expected).max())
    assert np.abs(found - along(WEIGHTS, 200.0, theta)).max() > 0.01 * np.abs(expected).max()


WEIGHTS = np.array([1.0, 1, 1, 0, 1, 1, 0, 0])


def along(moved, temperature, theta=THETA):
    """H times what the gradient has of the parameters that move, by differences of the gradient."""
    slope = slope_by_hand(theta, temperature) * moved
    step = 1e-4 / np.abs(slope).max()
    ends = [slope_by_hand(theta + sign * step * slope, temperature) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)


def test_single_precision_agrees_with_double():
    for name in ("gradient", "flow"):
        ours, theirs = EVIDENCE[name](scene(torch.float32)), EVIDENCE[name](scene())
        for layer in ("fc1.weight", "fc2.weight"):
            torch.testing.assert_close(ours[layer].double(), theirs[layer].double(), rtol=1e-5, atol=1e-7)


def test_the_flow_of_three_units_written_out():
    """R = (|a1| + |a2| + |a3|) (|c1| + |c2|): biases are 0 and the hidden unit is linear."""
    found = EVIDENCE["flow"](scene())
    assert found["fc1.weight"].tolist() == [pytest.approx([1.3 + 0.6] * 3, rel=1e-12)]
    assert found["fc2.weight"].flatten().tolist() == pytest.approx([0.7 + 1.1 + 0.4] * 2, rel=1e-12)
    assert set(found) == {"fc1.weight", "fc2.weight"}


def test_synflow_of_three_units_written_path_by_path():
    found = synflow(scene())
    first = [[0.7 * 1.3 + 0.7 * 0.6, 1.1 * 1.3 + 1.1 * 0.6, 0.4 * 1.3 + 0.4 * 0.6]]
    second = [[0.7 * 1.3 + 1.1 * 1.3 + 0.4 * 1.3], [0.7 * 0.6 + 1.1 * 0.6 + 0.4 * 0.6]]
    np.testing.assert_allclose(found["fc1.weight"], first, rtol=1e-12)
    np.testing.assert_allclose(found["fc2.weight"], second, rtol=1e-12)


def synflow(held):
    flow = EVIDENCE["flow"](held)
    return {n: CRITERIA["synflow"](held.weights[n].double(), None, flow=flow[n]).numpy() for n in held.network.prunable}


def random_scene(net, shape, classes, density=1.0, dtype=torch.float64):
    network, stream = build(net, shape, classes), torch.Generator().manual_seed(1)
    weights = {n: torch.randn(s, generator=stream, dtype=torch.float64) for n, s in network.shapes.items()}
    cut = {n: torch.rand(w.shape, generator=stream) < density for n, w in weights.items() if n in network.prunable}
    held = {n: (w * cut.get(n, 1)).to(dtype) for n, w in weights.items()}
    x = torch.randn(5, math.prod(shape), generator=stream, dtype=dtype)
    linear = chain(net, shape, classes, phi=lambda h: h)
    return scene(network=network, linear=linear, weights=held, start=held, samples=Split(x, torch.arange(5) % classes))


@pytest.mark.parametrize("density", [1.0, 0.6])
@pytest.mark.parametrize("phi", ["tanh", "relu"])
def test_synflow_sums_every_path_through_a_weight(phi, density):
    held = random_scene(FC(phi=phi, widths=(4, 3)), (5,), 2, density)
    sizes = [5, 4, 3, 2]
    strength = [held.weights[name].abs().numpy() for name in held.network.prunable]
    expected = [np.zeros_like(matrix) for matrix in strength]
    for path in product(*map(range, sizes)):
        worth = math.prod(matrix[path[at + 1], path[at]] for at, matrix in enumerate(strength))
        for at, sums in enumerate(expected):
            sums[path[at + 1], path[at]] += worth
    for found, sums in zip(synflow(held).values(), expected, strict=True):
        np.testing.assert_allclose(found, sums, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (FC(widths=(6, 2, 9), phi="erf"), (5,)),
        (Conv(channels=(3, 4), padding="zero", strides=(2,), readout="flat", widths=(5,)), (2, 6, 7)),
        (Conv(channels=(3, 4), padding="circular", readout="mean"), (2, 5, 4)),
        (Conv(channels=(3, 4), kernel=2, padding="none", pools=(1,), readout="flat", bias=False), (1, 7, 9)),
    ],
    ids=["fc", "zero", "circular", "pooled"],
)
def test_synflow_is_conserved_from_layer_to_layer(net, shape):
    """Every path crosses every layer once, so the scores of each layer sum to R (Tanaka et al. 2020, theorem 2)."""
    held = random_scene(net, shape, 3, density=0.8)
    sums = [scores.sum() for scores in synflow(held).values()]
    clean = {n: w.abs() if n in held.network.prunable else torch.zeros_like(w) for n, w in held.weights.items()}
    ones = torch.ones(1, math.prod(shape), dtype=torch.float64)
    np.testing.assert_allclose(sums, held.linear.logits(clean, ones).sum().item(), rtol=1e-10)


def test_the_flow_of_a_deep_net_does_not_overflow():
    """Forty layers of 99 in float64: R is of the order 79^40, far beyond float32."""
    net = FC(widths=(99,) * 40)
    held = random_scene(net, (5,), 2, dtype=torch.float32)
    for scores in synflow(held).values():
        assert np.isfinite(scores).all()
        assert scores.max() > 1e40


def test_noise_is_uniform():
    numbers = np.concatenate(
        [v.double().flatten() for v in EVIDENCE["noise"](random_scene(FC(widths=(90, 40)), (50,), 3)).values()]
    )
    assert 0 <= numbers.min() < numbers.max() < 1
    assert_mean(numbers, 0.5, rejects=0.52)
    assert_mean((numbers - 0.5) ** 2, 1 / 12, rejects=1.1 / 12)


def test_noise_differs_by_seed_level_and_layer():
    net = random_scene(FC(widths=(6, 6)), (6,), 3)

    def drawn(seed, level):
        return EVIDENCE["noise"](Scene(**{**vars(net), "seed": seed, "level": level}))

    first = drawn(0, 0)
    assert {name: tuple(value.shape) for name, value in first.items()} == {"fc1.weight": (6, 6), "fc2.weight": (6, 6), "fc3.weight": (3, 6)}  # fmt: skip  # noqa: E501
    assert all(torch.equal(first[name], value) for name, value in drawn(0, 0).items())
    for seed, level in ((1, 0), (0, 1)):
        assert not any(torch.equal(first[name], value) for name, value in drawn(seed, level).items())
    assert not torch.equal(first["fc1.weight"], first["fc2.weight"])


def test_every_evidence_that_a_criterion_names_is_gathered():
    named = {evidence for criterion in CRITERIA for evidence in evidence_for(criterion)}
    assert named == set(EVIDENCE)


@pytest.mark.parametrize("name", EVIDENCE)
def test_gathering_leaves_the_weights_alone(name):
    held = scene()
    before = {layer: value.clone() for layer, value in held.weights.items()}
    EVIDENCE[name](held)
    assert all(torch.equal(held.weights[layer], value) and not value.requires_grad for layer, value in before.items())
    assert not any(value.requires_grad for value in held.weights.values())
