"""T4 to T6 of a ticket: its own weights on groups of its inputs."""

import numpy as np
import pytest
import torch

from rmtlottery.analyze.rungs import given
from rmtlottery.analyze.rungs.given import given_courses, grouped
from rmtlottery.analyze.rungs.names import T4, T5, T5B, T6
from rmtlottery.meanfield import mean_profile_map, profile_map, row_map
from rmtlottery.measure.signal import gains, hidden_lengths
from rmtlottery.tickets.parts import FC, Conv
from tests.analyze.rungs.made import made

SHAPE = (2, 6, 7)
CONVS = [
    Conv(channels=(4, 5), padding="zero", strides=(2,), readout="flat", widths=(7,)),
    Conv(channels=(4, 5), padding="circular", bias=False),
    Conv(channels=(4, 5), padding="none"),
]
TOLD = {
    T4: lambda x, w, b: row_map(x[1], np.sum(w**2, axis=1), b),
    T5: lambda x, w, b: profile_map(x[1], w**2, b),
    T6: lambda x, w, b: mean_profile_map(x[0], x[1], w, b),
}


def test_every_rung_is_its_map_of_one_layer_on_eight_groups_of_like_length():
    held = made(FC(widths=(13, 30, 8)), density=0.5, inputs=40)
    x = held.seen.x.double().numpy()
    parts = x[np.argsort((x**2).mean(1))].reshape(8, 5, -1)
    found = dict(given_courses(held.weights, held.seen, "tanh"))
    assert list(found) == [T4, T5, T5B, T6]
    for source, one_layer in TOLD.items():
        state = parts.mean(1), (parts**2).mean(1)
        for number, step in enumerate(found[source], start=1):
            w, b = (held.weights[f"fc{number}.{kind}"].double().numpy() for kind in ("weight", "bias"))
            got = one_layer(state, w, b)
            assert step == pytest.approx((np.mean(got.q), np.sum(w**2) / len(w), np.mean(got.chi)), rel=1e-9)
            state = got.mean, got.m


@pytest.mark.parametrize("net", [FC(widths=(13, 30, 8)), *CONVS])
def test_where_every_input_is_a_group_T6_is_the_net_itself(net):
    """No variance is left to be wrong about."""
    held = made(net, SHAPE, density=0.6, inputs=7)
    steps = dict(given_courses(held.weights, held.seen, "tanh"))[T6]
    q = hidden_lengths(held.seen.network, held.weights, held.seen.x)
    stretch = gains(held.seen.network, held.weights, held.seen.x)
    reached = len(steps)
    assert reached >= 2
    assert [step.q for step in steps] == pytest.approx(q[:reached], rel=1e-8)
    assert np.allclose([(step.chi, step.gain) for step in steps], stretch[:reached], rtol=1e-8)


@pytest.mark.parametrize("net", CONVS)
def test_the_gain_is_the_measured_one(net):
    """Edges of pictures included."""
    held = made(net, SHAPE, density=0.6)
    gain = [gain for _, gain in gains(held.seen.network, held.weights, held.seen.x)]
    for steps in dict(given_courses(held.weights, held.seen, "tanh")).values():
        assert [step.gain for step in steps] == pytest.approx(gain[: len(steps)], rel=1e-10)


def test_groups_are_ordered_by_length_and_hold_moments_about_zero():
    held = made(FC(widths=(3,)), inputs=21)
    units = grouped(held.seen)
    assert units.mean.shape == units.square.shape == units.fourth.shape == (8, 20)
    assert np.all(np.diff(units.square.mean(1)) > 0)
    sizes = np.array([3, 3, 3, 3, 3, 2, 2, 2])
    x = held.seen.x.double().numpy()
    for moment, power in zip(units, (1, 2, 4), strict=True):
        assert sizes @ moment / 21 == pytest.approx((x**power).mean(0), rel=1e-10)


def test_wide_nets_take_fewer_groups_and_one_input_is_one_group(monkeypatch):
    held = made(FC(widths=(30, 3)), inputs=21)
    monkeypatch.setattr(given, "NUMBERS", 100)
    assert len(grouped(held.seen).mean) == 3
    monkeypatch.setattr(given, "NUMBERS", 1)
    assert len(grouped(held.seen).mean) == 1
    assert len(grouped(held.seen._replace(x=held.seen.x[:1])).mean) == 1


def test_courses_end_where_layers_are_pooled():
    held = made(Conv(channels=(3, 4, 5), padding="zero", pools=(2,)), SHAPE)
    assert {source: len(steps) for source, steps in given_courses(held.weights, held.seen, "tanh")} == dict.fromkeys(
        (T4, T5, T5B, T6), 2
    )


def test_T6_knows_of_means_what_T5_does_not():
    """All inputs about one point far out."""
    held = made(FC(widths=(60, 50)))
    x = 1.5 + 0.2 * torch.randn(64, 20, generator=torch.Generator().manual_seed(0))
    seen = held.seen._replace(x=x)
    q = hidden_lengths(seen.network, held.weights, x)
    found = dict(given_courses(held.weights, seen, "tanh"))
    assert [step.q for step in found[T6]] == pytest.approx(q, rel=0.02)
    assert abs(found[T5][0].q / q[0] - 1) > 0.05
