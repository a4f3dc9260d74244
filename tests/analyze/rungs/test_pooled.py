"""T0 to T3 of a net of any shape: on convolutions they are the window mean of the length map, pixel by pixel."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.analyze.rungs.names import T0, T1, T2, T3, T3H
from rmtlottery.analyze.rungs.pooled import Pooled, course, looked_up, no_nominal, pooled_courses, pools
from rmtlottery.measure.signal import Probe, gains, hidden_lengths
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, DeltaOrthogonal, Normal, Passed
from tests.analyze.rungs.made import made
from tests.conftest import assert_mean

SHAPE = (2, 6, 7)
NORMAL = Normal(sigma_w=1.5, sigma_b=0.4)
X = torch.randn(3, 84, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.2, 2, 84)
TANH = rl.meanfield.activation("tanh")


def by_hand(padding, strides=(1, 1, 1), shares=((1 / 9,) * 3,) * 3):
    """q, gain and chi of three 3x3 convolutions, by loops over pixels; outside the picture there is 0."""
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
                            mean[:, a, b] += square[:, y % high, z % wide] * shares[i + 1][j + 1]
                            reach[:, a, b] += shares[i + 1][j + 1]
        q = 1.5**2 * mean + 0.4**2
        found.append((q.mean(), 1.5**2 * reach.mean(), 1.5**2 * (reach * TANH.D(q)).mean()))
        square = TANH.V(q)
    return found


UNEVEN = ((0.0, 0.1, 0.05), (0.2, 0.3, 0.05), (0.1, 0.2, 0.0))


@pytest.mark.parametrize("shares", [((1 / 9,) * 3,) * 3, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize(("padding", "strides"), [("zero", (1, 1, 1)), ("circular", (1, 1, 1)), ("zero", (2, 1, 2))])
def test_the_course_is_that_of_loops_over_pixels(padding, strides, shares):
    network = nets.build(Conv(channels=(5, 4, 6), padding=padding, strides=strides), SHAPE, 3)
    layer = Pooled(1.5**2, 0.4**2, torch.tensor(shares, dtype=torch.float64), TANH.V, TANH.D)
    found = list(course([layer] * 3, Probe(network, X)))
    assert np.allclose(found, by_hand(padding, strides, shares), rtol=1e-12)


def test_padding_and_shares_matter_enough_to_be_told_apart():
    assert by_hand("circular")[-1][0] > 1.02 * by_hand("zero")[-1][0]
    assert by_hand("zero", shares=UNEVEN)[-1][0] != pytest.approx(by_hand("zero")[-1][0], rel=0.01)


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_wide_convolutions_follow_it(padding):
    """Monte Carlo over inits; zero padding taken for circular would be refused."""
    network = nets.build(Conv(channels=(40, 60, 50), padding=padding), SHAPE, 3)
    drawn = [initial(NORMAL, network.shapes, seed) for seed in range(150)]
    q = np.array([hidden_lengths(network, weights, X) for weights in drawn])
    stretch = np.array([gains(network, weights, X) for weights in drawn])
    right, other = by_hand(padding), by_hand("circular" if padding == "zero" else "zero")
    for layer in (1, 2):
        for sample, place in ((q[:, layer], 0), (stretch[:, layer, 1], 1), (stretch[:, layer, 0], 2)):
            assert_mean(sample, right[layer][place], rejects=other[layer][place], bias=0.012 * right[layer][place])


def test_a_fully_connected_course_takes_the_map_input_by_input():
    held = made(FC(widths=(9, 14, 6)))
    layers = [Pooled(w, 0.16, torch.ones(()), TANH.V, TANH.D) for w in (2.0, 1.2, 3.0)]
    q = 2.0 * held.seen.x.double().square().mean(1).numpy() + 0.16
    for layer, w, step in zip(range(3), (2.0, 1.2, 3.0), course(layers, held.seen), strict=True):
        q = w * TANH.V(q) + 0.16 if layer else q
        assert step == pytest.approx((q.mean(), w, w * TANH.D(q).mean()), rel=1e-10)


def test_theory_ends_where_layers_are_pooled(tmp_path):
    spec = rl.preset("first").but(net={"kind": "conv", "channels": "3,4,5", "pools": "2"}, levels=0, epochs=1, seeds=0)
    table = rl.tabulate("qmap", rl.fit(spec, tmp_path), samples=20)
    assert set(table[table["source"] == T0]["layer"]) == {1, 2}
    assert set(table[table["source"] == "measured"]["layer"]) == {1, 2, 3}


def test_layers_that_differ_have_nominal_sigmas_of_their_own(tmp_path):
    """Glorot: 2 / (fan_in + fan_out) times fan_in."""
    spec = rl.preset("first").but(widths="20,5", init="glorot", levels=0, epochs=1, seeds=0)
    run = rl.fit(spec, tmp_path)
    seen = Probe(nets.build(spec.net, (64,), 10), torch.ones(1, 64))
    found = {source: list(steps) for source, steps in pooled_courses(run[0, 0], run[0, 0].rewound, seen)}
    assert list(found) == [T0, T1, T2, T3, T3H]
    first, second = found[T0]
    assert first.q == pytest.approx(2 * 64 / 84)
    assert second.q == pytest.approx(2 * 20 / 25 * float(TANH.V(2 * 64 / 84)))


def test_T3_takes_each_layers_own_weights_and_biases_and_T2_their_mean():
    held = made(FC(widths=(9, 14, 6)), density=0.4)
    found = pools(held.ticket, held.weights)
    own = []
    for layer, pool in zip((1, 2, 3), found[T3], strict=True):
        w, b = (held.weights[f"fc{layer}.{kind}"].double() for kind in ("weight", "bias"))
        own.append(((w**2).sum().item() / len(w), (b**2).mean().item()))
        assert pool[:2] == pytest.approx(own[-1], rel=1e-10)
    for pool in found[T2]:
        assert pool[:2] == pytest.approx(np.mean(own, axis=0), rel=1e-10)


@pytest.mark.parametrize("source", [T2, T3])
def test_shares_of_a_kernel_are_those_of_its_own_weights(source):
    held = made(Conv(channels=(4, 5), padding="zero"), SHAPE)
    held.weights["conv2.weight"][:, :, 0] = 0
    even, lacking = (pool.shares for pool in pools(held.ticket, held.weights)[source])
    power = held.weights["conv1.weight"].double().square().sum((0, 1))
    assert torch.allclose(even, power / power.sum())
    assert lacking[0].sum() == 0
    assert lacking.sum().item() == pytest.approx(1)


def test_T3h_is_T3_with_averages_over_the_survivors_of_the_mask():
    held = made(FC(widths=(30, 40)), density=0.5)
    held.weights["fc1.weight"] = torch.where(held.ticket.mask["fc1.weight"], held.weights["fc1.weight"].sign(), 0.0)
    other, own = pools(held.ticket, held.weights)[T3H][0], pools(held.ticket, held.weights)[T3][0]
    assert other[:2] == own[:2]
    q = np.array([0.3, 1.7])
    assert other.V(q) == pytest.approx(np.tanh(np.sqrt(q)) ** 2, rel=0.02)  # of signs, in bins
    assert other.D(q) == pytest.approx(1 / np.cosh(np.sqrt(q)) ** 4, rel=0.05)
    assert own.V(q) == pytest.approx(TANH.V(q), rel=1e-12)


def test_without_a_law_of_the_init_there_is_no_T0_and_the_reason_is_said():
    held = made(FC(widths=(9, 14)), init=Passed())
    assert "init = 'passed' is a module's own" in no_nominal(held.ticket)
    assert [source for source, _ in pooled_courses(*held)] == [T1, T2, T3, T3H]
    assert no_nominal(made(FC(widths=(9, 14))).ticket) == ""


def test_looking_up_is_as_good_as_computing():
    q = np.random.default_rng(0).gamma(0.5, 2.0, (40, 1, 50)) + 1e-6
    for name in ("V", "D"):
        function = getattr(TANH, name)
        assert np.allclose(looked_up(function, q), function(q), rtol=1e-9)


def test_delta_orthogonal_convolutions_see_no_window():
    """All variance lies in the middle of the kernel: padding does not matter, pixels do not mix, and T0 holds."""
    net, ratios = Conv(channels=(60,) * 4, padding="zero"), {T0: [], T2: []}
    for seed in range(8):
        held = made(net, (1, 8, 8), seed=seed, init=DeltaOrthogonal(sigma_w=1.5, sigma_b=0.4), inputs=10)
        q = hidden_lengths(held.seen.network, held.weights, held.seen.x)[3]
        found = {source: list(steps) for source, steps in pooled_courses(*held)}
        for source, held_ratios in ratios.items():
            held_ratios.append(q / found[source][3].q)
    for held_ratios in ratios.values():
        assert_mean(held_ratios, 1.0, rejects=1.25, bias=0.02)
