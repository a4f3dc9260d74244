"""T4 to T6 of a ticket: its own weights on groups of training inputs, and of no test input."""

import numpy as np
import pytest
import torch

from rmtlottery.analyze.rungs import given
from rmtlottery.analyze.rungs.given import given_courses, grouped
from rmtlottery.analyze.rungs.names import T4, T5, T5B, T6
from rmtlottery.datasets.dataset import Split
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
NETS = [FC(widths=(13, 30, 8)), *CONVS]
TOLD = {
    T4: lambda x, w, b: row_map(x[1], np.sum(w**2, axis=1), b),
    T5: lambda x, w, b: profile_map(x[1], w**2, b),
    T6: lambda x, w, b: mean_profile_map(x[0], x[1], w, b),
}


def courses(held, **changed):
    found = given_courses(held.weights, held.seen._replace(**changed), "tanh")
    return {source: list(steps) for source, steps in found}


def measured(held, x):
    """(q, gain, chi) of every hidden layer."""
    network, weights = held.seen.network, held.weights
    stretch = gains(network, weights, x)
    return [(q, gain, chi) for q, (chi, gain) in zip(hidden_lengths(network, weights, x), stretch, strict=True)]


def test_every_rung_is_its_map_of_one_layer_on_eight_groups_of_like_length():
    held = made(FC(widths=(13, 30, 8)), density=0.5, train=800)
    x = held.seen.train.x.double().numpy()
    parts = x[np.argsort((x**2).mean(1))].reshape(8, 100, -1)
    found = courses(held)
    assert list(found) == [T4, T5, T5B, T6]
    for source, one_layer in TOLD.items():
        state = parts.mean(1), (parts**2).mean(1)
        assert len(found[source]) == 3
        for number, step in enumerate(found[source], start=1):
            w, b = (held.weights[f"fc{number}.{kind}"].double().numpy() for kind in ("weight", "bias"))
            got = one_layer(state, w, b)
            assert step == pytest.approx((np.mean(got.q), np.sum(w**2) / len(w), np.mean(got.chi)), rel=1e-9)
            state = got.mean, got.m


@pytest.mark.parametrize("net", NETS)
def test_where_all_training_inputs_are_one_T6_is_the_net_at_that_one(net):
    """No variance is left to be wrong about; the test inputs are others."""
    held = made(net, SHAPE, density=0.6, inputs=7)
    one = held.seen.train.x[:1]
    steps = courses(held, train=Split(one.expand(250, -1), held.seen.train.y))[T6]
    assert len(steps) >= 2
    assert np.allclose(steps, measured(held, one)[: len(steps)], rtol=1e-7)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("inputs", [1, 8])
@pytest.mark.parametrize("train", [1, 8, 99, 250])
def test_T6_is_never_the_measurement(net, inputs, train):
    """Of one test input or eight, with few training inputs or some: it knows none of what it is compared with."""
    held = made(net, SHAPE, density=0.6, inputs=inputs, train=train)
    off = [step.q / q - 1 for step, (q, _, _) in zip(courses(held)[T6], measured(held, held.seen.x), strict=False)]
    assert np.abs(off).max() > 0.02


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("number", [8, 150])
def test_few_inputs_are_one_group_and_T6_is_not_the_net_on_them(net, number):
    """Nor where test inputs are all there is, and where they are the training inputs."""
    held = made(net, SHAPE, density=0.6, inputs=number)
    same = Split(held.seen.x, held.seen.y)
    steps = courses(held, train=None)[T6]
    assert steps == courses(held, train=same)[T6]
    off = [step.q / q - 1 for step, (q, _, _) in zip(steps, measured(held, held.seen.x), strict=False)]
    assert np.abs(off).max() > 0.02


@pytest.mark.parametrize("net", NETS)
def test_test_inputs_and_labels_are_not_asked(net):
    held = made(net, SHAPE, density=0.6, inputs=8)
    noise = torch.full_like(held.seen.x, float("nan"))
    assert courses(held, x=noise, y=None) == courses(held)
    assert courses(held, train=Split(held.seen.train.x, None)) == courses(held)
    assert courses(held, train=Split(held.seen.train.x * 1.01, held.seen.train.y)) != courses(held)


@pytest.mark.parametrize("net", CONVS)
def test_the_gain_is_the_measured_one(net):
    """Edges of pictures included."""
    held = made(net, SHAPE, density=0.6)
    gain = [gain for _, gain, _ in measured(held, held.seen.x)]
    for steps in courses(held).values():
        assert [step.gain for step in steps] == pytest.approx(gain[: len(steps)], rel=1e-10)


def test_groups_are_equal_ordered_by_length_and_hold_moments_about_zero():
    """A remainder of the longest belongs to none."""
    held = made(FC(widths=(3,)), train=821)
    units = grouped(held.seen)
    assert units.mean.shape == units.square.shape == units.fourth.shape == (8, 20)
    assert np.all(np.diff(units.square.mean(1)) > 0)
    x = held.seen.train.x.double().numpy()
    parts = x[np.argsort((x**2).mean(1))][:816].reshape(8, 102, 20)
    for moment, power in zip(units, (1, 2, 4), strict=True):
        assert np.allclose(moment, (parts**power).mean(1), rtol=1e-10)


@pytest.mark.parametrize(("train", "groups"), [(1, 1), (99, 1), (199, 1), (200, 2), (799, 7), (800, 8), (2000, 8)])
def test_a_group_has_a_hundred_inputs_or_is_the_only_one(train, groups):
    assert len(grouped(made(FC(widths=(3,)), train=train).seen).mean) == groups


def test_of_very_many_training_inputs_the_first_are_taken():
    held = made(FC(widths=(3,)), train=4296)
    first = held.seen._replace(train=Split(held.seen.train.x[:4096], held.seen.train.y[:4096]))
    fewer = held.seen._replace(train=Split(held.seen.train.x[:4000], held.seen.train.y[:4000]))
    assert np.array_equal(grouped(held.seen), grouped(first))
    assert not np.array_equal(grouped(held.seen), grouped(fewer))


def test_wide_nets_take_fewer_groups(monkeypatch):
    held = made(FC(widths=(30, 3)), train=800)
    monkeypatch.setattr(given, "NUMBERS", 100)
    assert len(grouped(held.seen).mean) == 3
    monkeypatch.setattr(given, "NUMBERS", 1)
    assert len(grouped(held.seen).mean) == 1


def test_courses_end_where_layers_are_pooled():
    held = made(Conv(channels=(3, 4, 5), padding="zero", pools=(2,)), SHAPE)
    assert {source: len(steps) for source, steps in courses(held).items()} == dict.fromkeys((T4, T5, T5B, T6), 2)


def test_a_layer_beyond_all_bounds_ends_a_course_and_what_came_before_is_told():
    held = made(FC(widths=(13, 30, 8)))
    weights = held.weights | {"fc2.weight": held.weights["fc2.weight"] * 1e20}
    for source, steps in given_courses(weights, held.seen, "tanh"):
        assert next(steps) == courses(held)[source][0]
        with pytest.raises(ValueError, match="variances from 0"):
            next(steps)


def test_T6_knows_of_means_what_T5_does_not():
    """All inputs about one point far out."""
    held = made(FC(widths=(60, 50)))
    x = 1.5 + 0.2 * torch.randn(800, 20, generator=torch.Generator().manual_seed(0))
    q = hidden_lengths(held.seen.network, held.weights, x)
    found = courses(held, train=Split(x, None))
    assert [step.q for step in found[T6]] == pytest.approx(q, rel=0.02)
    assert abs(found[T5][0].q / q[0] - 1) > 0.05
