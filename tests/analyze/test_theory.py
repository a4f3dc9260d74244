"""Theory of a pruned net of any shape: on convolutions it is the window mean of the length map, pixel by pixel."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.analyze._theory import T0, T2, course, looked_up, predictions
from rmtlottery.measure.signal import Probe, gains, hidden_lengths
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal
from tests.conftest import assert_mean

SHAPE = (2, 6, 7)
NORMAL = Normal(sigma_w=1.5, sigma_b=0.4)
X = torch.randn(3, 84, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.2, 2, 84)


def by_hand(padding, strides=(1, 1, 1)):
    """q and chi of three 3x3 convolutions, by loops over pixels; outside the picture there is 0."""
    square = X.double().reshape(3, *SHAPE).square().mean(1).numpy()
    found = []
    for stride in strides:
        high, wide = square.shape[1:]
        mean, reach = np.zeros((2, 3, -(-high // stride), -(-wide // stride)))
        for a in range(mean.shape[1]):
            for b in range(mean.shape[2]):
                for i in (-1, 0, 1):
                    for j in (-1, 0, 1):
                        y, z = a * stride + i, b * stride + j
                        if padding == "circular" or (0 <= y < high and 0 <= z < wide):
                            mean[:, a, b] += square[:, y % high, z % wide] / 9
                            reach[:, a, b] += 1 / 9
        q = 1.5**2 * mean + 0.4**2
        act = rl.meanfield.activation("tanh")
        found.append((q.mean(), 1.5**2 * (reach * act.D(q)).mean()))
        square = act.V(q)
    return found


@pytest.mark.parametrize(("padding", "strides"), [("zero", (1, 1, 1)), ("circular", (1, 1, 1)), ("zero", (2, 1, 2))])
def test_the_course_is_that_of_loops_over_pixels(padding, strides):
    network = nets.build(Conv(channels=(5, 4, 6), padding=padding, strides=strides), SHAPE, 3)
    even = [torch.full((3, 3), 1 / 9, dtype=torch.float64)] * 3
    found = list(course([(1.5**2, 0.4**2)] * 3, even, Probe(network, X, ""), "tanh"))
    assert np.allclose(found, by_hand(padding, strides), rtol=1e-12)


def test_padding_matters_enough_to_be_told_apart():
    assert by_hand("circular")[-1][0] > 1.02 * by_hand("zero")[-1][0]


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_wide_convolutions_follow_it(padding):
    """Monte Carlo over inits; zero padding taken for circular would be refused."""
    network = nets.build(Conv(channels=(40, 60, 50), padding=padding), SHAPE, 3)
    drawn = [initial(NORMAL, network.shapes, seed) for seed in range(150)]
    q = np.array([hidden_lengths(network, weights, X) for weights in drawn])
    chi = np.array([gains(network, weights, X) for weights in drawn])
    right, other = by_hand(padding), by_hand("circular" if padding == "zero" else "zero")
    for layer in (1, 2):
        assert_mean(q[:, layer], right[layer][0], rejects=other[layer][0], bias=0.012 * right[layer][0])
        assert_mean(chi[:, layer], right[layer][1], rejects=other[layer][1], bias=0.012 * right[layer][1])


def test_chi_of_a_wide_fully_connected_net_is_sigma_squared_times_the_mean_squared_slope():
    network, x = nets.build(FC(widths=(300, 200)), (30,), 4), torch.ones(1, 30)
    chi = np.array([gains(network, initial(NORMAL, network.shapes, seed), x) for seed in range(200)])
    for layer, q in enumerate(rl.meanfield.trajectory(1.5**2 + 0.4**2, 2, 1.5, 0.4)):
        right = 1.5**2 * float(rl.meanfield.activation("tanh").D(q))
        assert_mean(chi[:, layer], right, rejects=1.05 * right, bias=0.01 * right)


def test_measured_chi_is_the_frobenius_norm_of_the_layers_jacobian():
    network = nets.build(Conv(channels=(3, 4), padding="zero", strides=(2,)), SHAPE, 3)
    weights = {name: value.double() for name, value in initial(NORMAL, network.shapes, 0).items()}
    found = gains(network, weights, X[:1])
    signals = network.signals(weights, X[:1].double())
    for layer, (given, _), expected in zip(network.layers, signals[:2], found, strict=False):
        jacobian = torch.autograd.functional.jacobian(lambda x, layer=layer: torch.tanh(layer(weights, x)), given)
        units = jacobian.numel() // given.numel()
        assert jacobian.square().sum().item() / units == pytest.approx(expected, rel=1e-10)


def test_theory_ends_where_layers_are_pooled(tmp_path):
    spec = rl.preset("first").but(net={"kind": "conv", "channels": "3,4,5", "pools": "2"}, levels=0, epochs=1, seeds=0)
    table = rl.tabulate("qmap", rl.fit(spec, tmp_path), samples=20)
    assert set(table[table["source"] == T0]["layer"]) == {1, 2}
    assert set(table[table["source"] == "measured"]["layer"]) == {1, 2, 3}


def test_layers_that_differ_have_nominal_sigmas_of_their_own(tmp_path):
    """Glorot: 2 / (fan_in + fan_out) times fan_in."""
    spec = rl.preset("first").but(widths="20,5", init="glorot", levels=0, epochs=1, seeds=0)
    run = rl.fit(spec, tmp_path)
    seen = Probe(nets.build(spec.net, (64,), 10), torch.ones(1, 64), "")
    rows = list(predictions(run[0, 0], run[0, 0].rewound, seen))
    first, second = (row for row in rows if row["source"] == T0)
    assert first["q"] == pytest.approx(2 * 64 / 84)
    assert second["q"] == pytest.approx(2 * 20 / 25 * float(rl.meanfield.activation("tanh").V(2 * 64 / 84)))
    assert {row["source"] for row in rows} >= {T0, T2}


def test_looking_up_is_as_good_as_computing():
    q = np.random.default_rng(0).gamma(0.5, 2.0, (40, 1, 50)) + 1e-6
    for name in ("V", "D"):
        function = getattr(rl.meanfield.activation("tanh"), name)
        assert np.allclose(looked_up(function, q), function(q), rtol=1e-9)


def test_delta_orthogonal_convolutions_see_no_window(tmp_path):
    """All variance lies in the middle of the kernel: padding does not matter, pixels do not mix, and T0 holds."""
    init = {"kind": "delta_orthogonal", "sigma_w": 1.5, "sigma_b": 0.4}
    spec = rl.preset("first").but(net={"kind": "conv", "channels": "4x60", "padding": "zero"}, init=init, levels=0, epochs=1)
    table = rl.tabulate("qmap", rl.fit(spec.but(seeds=tuple(range(8)), lr=1e-9), tmp_path), samples=10)
    rows = table[(table["state"] == "rewound") & (table["layer"] == 4)]
    q = rows.pivot_table("q", "seed", "source")
    assert_mean(q["measured"] / q[T0], 1.0, rejects=1.25, bias=0.02)
    assert_mean(q["measured"] / q[T2], 1.0, rejects=1.25, bias=0.02)
