"""T4 to T6 of given weights: against the maps of one layer chained by hand, and against nets whose units are independent."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn.functional import conv2d

from rmtlottery.meanfield.profile import mean_profile_map, profile_map, row_map
from rmtlottery.meanfield.quenched import (
    Quenched,
    Units,
    forget_columns,
    forget_means,
    forget_nothing,
    quenched_course,
)
from tests.conftest import assert_mean

RNG = np.random.default_rng(3)
WIDTHS = (20, 33, 17, 9)
WEIGHTS = [
    RNG.standard_normal((b, a)) * RNG.gamma(0.6, 1.0, (b, 1)) * np.linspace(0, 3, a) / np.sqrt(a)
    for a, b in pairwise(WIDTHS)
]
BIASES = [0.6 * RNG.standard_normal(n) for n in WIDTHS[1:]]


def dense(weight, bias):
    powers = [lambda x, w=weight**power: x @ w.T for power in (1, 2, 4)]
    return Quenched(*powers, np.asarray(bias)[None])


def units(x):
    """Moments of samples (group, sample, unit)."""
    return Units(*(np.mean(x**power, axis=1) for power in (1, 2, 4)))


LAYERS = [dense(w, b) for w, b in zip(WEIGHTS, BIASES, strict=True)]
MADE = RNG.standard_normal((2, 500, 20)) * np.linspace(0.2, 1.5, 20) + np.linspace(-1, 0.6, 20)
GIVEN = units(MADE * np.array([1.0, 1.8])[:, None, None])  # two groups, one of longer inputs


def chained(one_layer, state):
    """(q, gain, chi) of layer after layer, groups weighing the same."""
    for w, b in zip(WEIGHTS, BIASES, strict=True):
        got = one_layer(state, w, b)
        yield np.mean(got.q), np.sum(w**2) / len(w), np.mean(got.chi)
        state = Units(got.mean, got.m, np.nan)


CHAINS = {
    forget_columns: lambda x, w, b, phi: row_map(x.square, np.sum(w**2, axis=1), b, phi),
    forget_means: lambda x, w, b, phi: profile_map(x.square, w**2, b, phi),
    forget_nothing: lambda x, w, b, phi: mean_profile_map(x.mean, x.square, w, b, phi),
}


@pytest.mark.parametrize("phi", ["tanh", "relu"])
@pytest.mark.parametrize("forget", CHAINS, ids=lambda forget: forget.__name__)
def test_a_course_is_the_map_of_one_layer_chained_and_groups_are_averaged(forget, phi):
    expected = list(chained(lambda x, w, b: CHAINS[forget](x, w, b, phi), GIVEN))
    assert_allclose(list(quenched_course(LAYERS, GIVEN, phi, forget)), expected, rtol=1e-10)


def test_the_three_differ_on_this_net_and_a_group_is_not_the_mean_of_groups():
    found = [list(quenched_course(LAYERS, GIVEN, "tanh", forget))[-1].q for forget in CHAINS]
    assert min(abs(np.diff(sorted(found)))) > 0.01 * found[0]
    merged = Units(*(moment.mean(0, keepdims=True) for moment in GIVEN))
    assert list(quenched_course(LAYERS, merged, "tanh", forget_means))[-1].q != pytest.approx(found[1], rel=1e-3)


def apart(count, inputs, scale=1.0):
    """A weight whose units have no input in common: (count, count * inputs)."""
    weight = np.zeros((count, count * inputs))
    for unit in range(count):
        weight[unit, unit * inputs : (unit + 1) * inputs] = scale * RNG.standard_normal(inputs) / np.sqrt(inputs)
    return weight


def test_T6_is_right_where_units_are_independent():
    """Independent Gaussian inputs with means and variances of their own, no two units of layer 1 with one in common."""
    rng = np.random.default_rng(11)
    weights = [apart(60, 7, 1.6), 1.7 * rng.standard_normal((43, 60)) / np.sqrt(60) + 0.05]
    biases = [0.5 * rng.standard_normal(60) + 0.2, 0.4 * rng.standard_normal(43)]
    mean, std = rng.uniform(-0.6, 1, 420), rng.uniform(0, 1.5, 420)
    x = rng.standard_normal((6000, 420)) * std + mean
    given = Units(mean[None], (mean**2 + std**2)[None], (mean**4 + 6 * mean**2 * std**2 + 3 * std**4)[None])
    layers = [dense(w, b) for w, b in zip(weights, biases, strict=True)]
    right, no_means = (list(quenched_course(layers, given, "tanh", forget)) for forget in (forget_nothing, forget_means))
    for (w, b), good, bad in zip(zip(weights, biases, strict=True), right, no_means, strict=True):
        h = x @ w.T + b
        chi = np.mean(np.sum(w**2, axis=1) / np.cosh(h) ** 4, axis=1)
        assert_mean(np.mean(h**2, axis=1), good.q, rejects=bad.q)
        assert_mean(chi, good.chi, rejects=bad.chi, bias=0.002 * good.chi)
        assert good.gain == pytest.approx(np.sum(w**2) / len(w), rel=1e-12)
        x = np.tanh(h)


def test_T5b_corrects_for_few_inputs_a_unit():
    """Four uniform inputs a unit: their sum has an excess kurtosis of about -1.2/4, which layer 2 and chi see."""
    rng = np.random.default_rng(12)
    first = np.where(apart(80, 4), 1.2 / np.sqrt(4), 0.0) * rng.uniform(0.9, 1.1, (1, 320))
    layers = [dense(first, np.zeros(80)), dense(rng.standard_normal((30, 80)) / 8, np.zeros(30))]
    given = Units(*(np.full((1, 320), moment) for moment in (0.0, 1.0, 9 / 5)))
    plain, finite = (list(quenched_course(layers, given, "tanh", forget_means, few)) for few in (False, True))
    h = rng.uniform(-np.sqrt(3), np.sqrt(3), (30000, 320)) @ first.T
    q = np.tanh(h) ** 2 @ layers[1].squares(np.eye(80)).mean(1)
    chi = np.mean(np.sum(first**2, axis=1) / np.cosh(h) ** 4, axis=1)
    assert_mean(q, finite[1].q, rejects=plain[1].q, bias=0.2 * abs(finite[1].q - plain[1].q))
    assert_mean(chi, finite[0].chi, rejects=plain[0].chi, bias=0.2 * abs(finite[0].chi - plain[0].chi))
    assert finite[0].q == plain[0].q, "q of the layer itself is right whatever the shape of its h"


def test_with_very_many_inputs_a_unit_there_is_nothing_to_correct():
    """Of independent inputs of kurtosis 3 the correction of layer 1 is 0."""
    x = Units(*(np.full((1, 20), moment) for moment in (0.0, 0.7, 3 * 0.49)))
    plain, finite = (next(quenched_course(LAYERS, x, "tanh", forget_means, few)) for few in (False, True))
    assert finite == pytest.approx(plain, rel=1e-12)


SHAPE, OUT = (2, 4, 5), (3, 4)
KERNELS = [RNG.standard_normal((b, a, 3, 3)) / 3 for a, b in ((2, 3), (3, 4))]
OFFSETS = [0.5 * RNG.standard_normal(channels) for channels in OUT]


def convolved(kernel, offset):
    def seeing(weight):
        return lambda x: conv2d(torch.from_numpy(np.array(x)), torch.from_numpy(weight), padding=1).numpy()

    return Quenched(*(seeing(kernel**power) for power in (1, 2, 4)), offset[None, :, None, None])


def as_matrix(kernel):
    """The zero-padded convolution as a matrix between pixels, entry by entry."""
    out, inward = kernel.shape[:2]
    high, wide = SHAPE[1:]
    matrix = np.zeros((out, high, wide, inward, high, wide))
    for a in range(high):
        for b in range(wide):
            for i in range(max(0, a - 1), min(high, a + 2)):
                for j in range(max(0, b - 1), min(wide, b + 2)):
                    matrix[:, a, b, :, i, j] = kernel[:, :, i - a + 1, j - b + 1]
    return matrix.reshape(out * high * wide, -1)


def even_channels(square):
    held = square.reshape(len(square), -1, *SHAPE[1:])
    return np.broadcast_to(held.mean(1, keepdims=True), held.shape).reshape(len(square), -1)


PIXELS = {
    forget_columns: lambda x, w, b: profile_map(even_channels(x.square), w**2, b),
    forget_means: lambda x, w, b: profile_map(x.square, w**2, b),
    forget_nothing: lambda x, w, b: mean_profile_map(x.mean, x.square, w, b),
}


@pytest.mark.parametrize("forget", PIXELS, ids=lambda forget: forget.__name__)
def test_a_convolution_is_the_matrix_that_it_is(forget):
    x = RNG.standard_normal((3, 50, *SHAPE)) * np.linspace(0.3, 1.4, 5) + np.linspace(-0.5, 0.8, 4)[:, None]
    found = quenched_course([convolved(*pair) for pair in zip(KERNELS, OFFSETS, strict=True)], units(x), "tanh", forget)
    state = units(x.reshape(3, 50, -1))
    for kernel, offset, step in zip(KERNELS, OFFSETS, found, strict=True):
        w = as_matrix(kernel)
        got = PIXELS[forget](state, w, np.repeat(offset, 20))
        assert_allclose(step, (np.mean(got.q), np.sum(w**2) / len(w), np.mean(got.chi)), rtol=1e-10)
        state = Units(got.mean, got.m, np.nan)


def test_the_edges_of_pictures_have_less_gain_than_the_whole_kernel():
    x = Units(*(np.ones((1, *SHAPE)) for _ in range(3)))
    step = next(quenched_course([convolved(KERNELS[0], OFFSETS[0])], x, "tanh", forget_means))
    assert step.gain < 0.9 * np.sum(KERNELS[0] ** 2) / 3


@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("forget", CHAINS, ids=lambda forget: forget.__name__)
def test_a_dead_layer_passes_its_biases_on(forget, finite):
    layers = [LAYERS[0], dense(np.zeros((17, 33)), BIASES[1]), LAYERS[2]]
    if finite and forget is forget_nothing:
        pytest.skip("few inputs are corrected for without means only")
    steps = list(quenched_course(layers, GIVEN, "tanh", forget, finite))
    assert steps[1] == pytest.approx((np.mean(BIASES[1] ** 2), 0.0, 0.0), rel=1e-12)
    passed = np.tanh(BIASES[1])
    if forget is forget_nothing:
        assert steps[2].q == pytest.approx(np.mean((WEIGHTS[2] @ passed + BIASES[2]) ** 2), rel=1e-10)
    assert np.all(np.isfinite(steps))


def test_few_inputs_are_corrected_for_without_means_only():
    with pytest.raises(ValueError, match="takes units without means: forget_means or forget_columns"):
        next(quenched_course(LAYERS, GIVEN, "tanh", forget_nothing, finite=True))
