"""theta_0: variances on unequal shapes, isometries, and a stream of its own for every tensor."""

import math

import numpy as np
import pytest
import torch

from rmtlottery.nets import build
from rmtlottery.nets.init import KINDS, drawn, initial, sigmas
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import FC, Conv, DeltaOrthogonal, DividedBias, Glorot, He, Normal, Orthogonal, Own
from rmtlottery.tickets.spec import kinds
from tests.conftest import assert_mean

SHAPES = {
    "fc1.weight": (90, 60), "fc1.bias": (90,), "fc2.weight": (40, 90), "fc2.bias": (40,),
    "conv1.weight": (8, 3, 5, 5), "conv1.bias": (8,), "conv2.weight": (50, 8, 3, 3), "conv2.bias": (50,),
}  # fmt: skip
FANS = {"fc1.weight": (60, 90), "fc2.weight": (90, 40), "conv1.weight": (75, 200), "conv2.weight": (72, 450)}
BIASES = {"fc1.bias": 90, "fc2.bias": 40, "conv1.bias": 8, "conv2.bias": 50}
SEEDS = {"fc1.weight": 6, "fc2.weight": 6, "conv1.weight": 40, "conv2.weight": 6}
SIGMA_W, SIGMA_B = 1.7, 0.6
BOTH = {"sigma_w": SIGMA_W, "sigma_b": SIGMA_B}
GAUSSIAN = [Normal(**BOTH), DividedBias(**BOTH)]
EVERY = [*GAUSSIAN, Orthogonal(**BOTH), DeltaOrthogonal(**BOTH), *(part(law=law) for part in (Glorot, He)
                                                                     for law in ("normal", "uniform"))]  # fmt: skip


def words(init):
    return f"{init.kind}-{init.law}" if isinstance(init, Glorot) else init.kind


def theta(init=GAUSSIAN[0], shapes=SHAPES, seed=0):
    return initial(init, shapes, seed)


def numbers(init, name, seeds=1, shapes=SHAPES):
    """All entries of a tensor over some seeds, as float64."""
    alone = {n: shape for n, shape in shapes.items() if n.partition(".")[0] == name.partition(".")[0]}
    return np.concatenate([theta(init, alone, seed)[name].double().flatten().numpy() for seed in range(seeds)])


def matrix(init, shape, seed=0):
    """A weight as (out, all else), float64."""
    return theta(init, {"fc1.weight": shape}, seed)["fc1.weight"].double().flatten(1)


@pytest.mark.parametrize("init", GAUSSIAN, ids=words)
@pytest.mark.parametrize("name", FANS)
def test_the_variance_of_a_weight_is_that_over_its_fan_in(init, name):
    fan_in, fan_out = FANS[name]
    squares = numbers(init, name, SEEDS[name]) ** 2
    assert_mean(squares, SIGMA_W**2 / fan_in, rejects=SIGMA_W**2 / fan_out)
    assert_mean(squares, SIGMA_W**2 / fan_in, rejects=SIGMA_W**2 / ((fan_in + fan_out) / 2))


@pytest.mark.parametrize("wrong", ["channels", "pixels", "out"])
def test_the_fan_in_of_a_convolution_is_channels_times_pixels(wrong):
    fan = {"channels": 3, "pixels": 25, "out": 8}[wrong]
    assert_mean(numbers(GAUSSIAN[0], "conv1.weight", 10) ** 2, SIGMA_W**2 / 75, rejects=SIGMA_W**2 / fan)


@pytest.mark.parametrize("wrong", ["divided", "unsquared", "doubled"])
@pytest.mark.parametrize("name", BIASES)
@pytest.mark.parametrize("init", [Normal(**BOTH), Orthogonal(**BOTH), DeltaOrthogonal(**BOTH)], ids=words)
def test_the_variance_of_a_bias_is_undivided(init, name, wrong):
    near_miss = {"divided": SIGMA_B**2 / BIASES[name], "unsquared": SIGMA_B, "doubled": 2 * SIGMA_B**2}[wrong]
    assert_mean(numbers(init, name, 1200 // BIASES[name]) ** 2, SIGMA_B**2, rejects=near_miss)


@pytest.mark.parametrize("name", BIASES)
def test_the_variance_of_a_divided_bias_is_over_its_width(name):
    out, squares = BIASES[name], numbers(GAUSSIAN[1], name, 1200 // BIASES[name]) ** 2
    fan_in = FANS[name.replace("bias", "weight")][0]
    assert_mean(squares, SIGMA_B**2 / out, rejects=SIGMA_B**2)
    assert_mean(squares, SIGMA_B**2 / out, rejects=SIGMA_B**2 / fan_in)
    assert_mean(squares, SIGMA_B**2 / out, rejects=SIGMA_B**2 / out**2)


def test_a_divided_bias_differs_from_a_normal_one_by_its_factor_alone():
    ours, theirs = theta(GAUSSIAN[1]), theta(GAUSSIAN[0])
    for name, value in ours.items():
        factor = BIASES[name] ** -0.5 if name in BIASES else 1
        torch.testing.assert_close(value, theirs[name] * factor, rtol=1e-6, atol=0)


def test_weights_are_gaussian():
    scaled = numbers(GAUSSIAN[0], "fc2.weight", 4) / SIGMA_W * 90**0.5
    assert_mean(scaled**4, 3.0, rejects=1.8)
    assert_mean(scaled, 0.0, rejects=0.05)


@pytest.mark.parametrize("kind", [Normal, DividedBias, Orthogonal, DeltaOrthogonal])
@pytest.mark.parametrize(("sigma", "ending"), [("sigma_w", "weight"), ("sigma_b", "bias")])
def test_each_sigma_scales_its_own_tensors_and_no_other(kind, sigma, ending):
    for name, value in theta(kind(**BOTH | {sigma: 0.0})).items():
        assert (value == 0).all() if name.endswith(ending) else torch.equal(value, theta(kind(**BOTH))[name])


@pytest.mark.parametrize("shape", [(30, 50), (50, 50), (7, 3, 5, 5)])
def test_rows_of_an_orthogonal_matrix_that_is_wide_are_orthonormal(shape):
    w = matrix(Orthogonal(**BOTH), shape)
    torch.testing.assert_close(w @ w.T, SIGMA_W**2 * torch.eye(len(w), dtype=torch.float64), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(50, 30), (51, 50), (80, 3, 3, 5), (30, 1, 3, 3)])
def test_columns_of_a_tall_one_are_orthogonal_and_longer(shape):
    w = matrix(Orthogonal(**BOTH), shape)
    out, fan_in = w.shape
    expected = SIGMA_W**2 * out / fan_in * torch.eye(fan_in, dtype=torch.float64)
    torch.testing.assert_close(w.T @ w, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 30), (30, 12), (4, 3, 3, 1), (20, 2, 3, 1)])
def test_entries_of_an_orthogonal_matrix_have_the_variance_of_a_gaussian_one(shape):
    fan_in = math.prod(shape[1:])
    entries = np.concatenate([matrix(Orthogonal(**BOTH), shape, seed).flatten() for seed in range(400)])
    assert_mean(entries, 0.0, rejects=0.05 * SIGMA_W)
    # Squares of one matrix sum to a constant, so its entries are a little less spread than independent ones.
    assert np.mean(entries**2) == pytest.approx(SIGMA_W**2 / fan_in, rel=1e-6)
    corner = [matrix(Orthogonal(**BOTH), shape, seed)[0, -1].item() ** 2 for seed in range(400)]
    assert_mean(corner, SIGMA_W**2 / fan_in, rejects=2 * SIGMA_W**2 / fan_in)


@pytest.mark.parametrize("shape", [(4, 4), (4, 9), (9, 4)], ids=["square", "wide", "tall"])
def test_orthogonal_matrices_are_uniform(shape):
    """Haar: the corner has mean 0. QR's own Q has there, with R's diagonal positive or negative throughout, -+ a half."""
    unit = [matrix(Orthogonal(sigma_w=1, sigma_b=0), shape, seed) for seed in range(800)]
    plain = [np.linalg.qr(np.random.default_rng(seed).standard_normal((max(shape), min(shape))))[0] for seed in range(800)]
    biased = np.mean([q[0, 0] for q in plain])
    assert abs(biased) > 0.1
    assert_mean([w[0, 0].item() for w in unit], 0.0, rejects=biased)
    last = min(shape) - 1
    assert_mean([w[last, last].item() for w in unit], 0.0, rejects=0.15)


def test_trace_and_determinant_of_a_square_one_are_haars():
    """E tr = 0, E tr^2 = 1, E det = 0 over O(n) (Diaconis and Shahshahani 1994)."""
    unit = [matrix(Orthogonal(sigma_w=1, sigma_b=0), (5, 5), seed) for seed in range(1000)]
    traces = np.array([w.trace().item() for w in unit])
    assert_mean(traces, 0.0, rejects=0.25)
    assert_mean(traces**2, 1.0, rejects=1.4)
    assert_mean([w.det().item() for w in unit], 0.0, rejects=0.2)
    assert_mean([abs(w.det().item()) + 1e-9 * i for i, w in enumerate(unit)], 1.0, rejects=0.99, bias=1e-5)


@pytest.mark.parametrize("shape", [(4, 9, 3, 3), (9, 4, 5, 5), (6, 6, 3, 5)])
def test_a_delta_orthogonal_kernel_is_an_isometry_in_its_middle_and_nothing_else(shape):
    kernel = theta(DeltaOrthogonal(**BOTH), {"conv1.weight": shape})["conv1.weight"].double()
    row, column = shape[2] // 2, shape[3] // 2
    middle = kernel[:, :, row, column].clone()
    kernel[:, :, row, column] = 0
    assert (kernel == 0).all()
    out, inward = shape[:2]
    gram, size = (middle @ middle.T, out) if out <= inward else (middle.T @ middle * inward / out, inward)
    torch.testing.assert_close(gram, SIGMA_W**2 * torch.eye(size, dtype=torch.float64), rtol=0, atol=1e-5)


def test_a_delta_orthogonal_matrix_is_orthogonal():
    w = matrix(DeltaOrthogonal(**BOTH), (30, 50))
    torch.testing.assert_close(w @ w.T, SIGMA_W**2 * torch.eye(30, dtype=torch.float64), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernel", [(2, 2), (3, 4), (4, 3)])
def test_a_kernel_without_a_middle_is_refused(kernel):
    with pytest.raises(Refusal, match=r"delta_orthogonal needs a middle.*take an odd one"):
        theta(DeltaOrthogonal(), {"conv1.weight": (8, 3, *kernel)})


@pytest.mark.parametrize("law", ["normal", "uniform"])
@pytest.mark.parametrize("name", FANS)
def test_glorots_variance_is_over_both_fans(name, law):
    fan_in, fan_out = FANS[name]
    squares = numbers(Glorot(law=law), name, SEEDS[name]) ** 2
    assert_mean(squares, 2 / (fan_in + fan_out), rejects=1 / fan_in)
    assert_mean(squares, 2 / (fan_in + fan_out), rejects=1 / fan_out)


@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_glorots_fan_out_of_a_convolution_counts_the_pixels(law):
    assert_mean(numbers(Glorot(law=law), "conv1.weight", 10) ** 2, 2 / (75 + 200), rejects=2 / (75 + 8))


@pytest.mark.parametrize("law", ["normal", "uniform"])
@pytest.mark.parametrize("name", FANS)
def test_hes_variance_is_two_over_the_fan_in(name, law):
    fan_in, fan_out = FANS[name]
    squares = numbers(He(law=law), name, SEEDS[name]) ** 2
    assert_mean(squares, 2 / fan_in, rejects=1 / fan_in)
    assert_mean(squares, 2 / fan_in, rejects=2 / fan_out)


@pytest.mark.parametrize("init", [init for init in EVERY if isinstance(init, Glorot)], ids=words)
@pytest.mark.parametrize("name", FANS)
def test_each_law_has_its_own_shape(init, name):
    fan_in, fan_out = FANS[name]
    std = (2 / fan_in if init.kind == "he" else 2 / (fan_in + fan_out)) ** 0.5
    scaled = numbers(init, name, 4) / std
    if init.law == "uniform":
        assert 0.98 * 3**0.5 < np.abs(scaled).max() <= 3**0.5 * (1 + 1e-6)
        assert_mean(scaled**4, 1.8, rejects=3.0)
    else:
        assert np.abs(scaled).max() > 2.5
        assert_mean(scaled**4, 3.0, rejects=1.8)
    assert_mean(scaled, 0.0, rejects=0.2)


@pytest.mark.parametrize("init", [init for init in EVERY if isinstance(init, Glorot)], ids=words)
def test_glorots_and_hes_biases_are_exactly_zero(init):
    found = theta(init)
    assert all((found[name] == 0).all() for name in BIASES)


@pytest.mark.parametrize(
    ("init", "shape", "expected"),
    [
        (Normal(**BOTH), (8, 3, 5, 5), (SIGMA_W, SIGMA_B)),
        (DividedBias(**BOTH), (8, 3, 5, 5), (SIGMA_W, SIGMA_B / 8**0.5)),
        (Orthogonal(**BOTH), (90, 60), (SIGMA_W, SIGMA_B)),
        (He(), (90, 60), (2**0.5, 0.0)),
        (Glorot(), (90, 60), ((2 * 60 / 150) ** 0.5, 0.0)),
        (Glorot(law="uniform"), (8, 3, 5, 5), ((2 * 75 / 275) ** 0.5, 0.0)),
    ],
)
def test_sigmas_are_those_of_the_law(init, shape, expected):
    assert sigmas(init, shape) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("init", EVERY, ids=words)
def test_names_order_shapes_and_precision_are_the_networks(init):
    for network in (build(FC(widths=(9, 15)), (6,), 11), build(Conv(channels=(5, 3), widths=(7,)), (2, 6, 5), 4)):
        found = theta(init, network.shapes)
        assert [(name, tuple(value.shape)) for name, value in found.items()] == list(network.shapes.items())
        assert {value.dtype for value in found.values()} == {torch.float32}


@pytest.mark.parametrize("init", EVERY, ids=words)
def test_a_tensors_draw_does_not_depend_on_which_others_there_are(init):
    whole = theta(init, seed=3)
    for chosen in (["conv2.weight", "conv2.bias"], ["fc2.bias", "fc2.weight", "conv1.weight"], list(reversed(SHAPES))):
        some = theta(init, {name: SHAPES[name] for name in chosen}, 3)
        assert list(some) == chosen
        assert all(torch.equal(some[name], whole[name]) for name in chosen)


@pytest.mark.parametrize("init", EVERY, ids=words)
def test_a_seed_is_the_same_whenever_it_is_drawn_and_another_is_another(init):
    first, other, again = (theta(init, seed=seed) for seed in (3, 7, 3))
    assert all(torch.equal(first[name], again[name]) for name in SHAPES)
    assert not any(torch.equal(first[name], other[name]) for name in FANS)


def test_neighbouring_seeds_are_uncorrelated():
    a, b = np.split(numbers(GAUSSIAN[0], "fc1.weight", seeds=2), 2)
    assert_mean(a * b * 60 / SIGMA_W**2, 0.0, rejects=0.1)


def test_tensors_of_one_shape_differ():
    square = theta(shapes={"fc1.weight": (60, 60), "fc2.weight": (60, 60)})
    a, b = (square[name].double().flatten().numpy() for name in square)
    assert_mean(a * b * 60 / SIGMA_W**2, 0.0, rejects=0.1)


NORMED = {
    "stem.weight": (8, 3, 3, 3), "stem.bias": (8,), "norm.weight": (8,), "norm.bias": (8,), "scale": (), "query": (6,),
    "lonely.bias": (5,), "position": (4, 8), "whole.weight": (3, 8), "whole.bias": (3,),
    "out.weight": (4, 8), "out.bias": (4,),
}  # fmt: skip
PRUNABLE = ["stem.weight", "out.weight"]
DRAWN = ["stem.weight", "stem.bias", "out.weight", "out.bias"]


def test_scales_shifts_and_parameters_on_their_own_are_not_theta_0s_to_draw():
    """Nor is a matrix that cannot be cut, with the bias beside it."""
    assert drawn(NORMED, PRUNABLE) == {name: NORMED[name] for name in DRAWN}


@pytest.mark.parametrize("init", EVERY, ids=words)
def test_what_is_drawn_does_not_depend_on_what_is_not(init):
    found, whole = theta(init, drawn(NORMED, PRUNABLE)), theta(init, NORMED | {"scale": (2,)})
    assert list(found) == DRAWN
    assert all(torch.equal(found[name], whole[name]) for name in DRAWN)


@pytest.mark.parametrize("init", EVERY, ids=words)
def test_the_global_generators_are_left_alone(init):
    before, numpys = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    theta(init)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpys)  # noqa: NPY002


def test_every_kind_of_init_is_implemented():
    assert set(KINDS) == set(kinds("init")) - {"own", "passed"}


def test_a_modules_own_init_is_none_of_a_chain():
    with pytest.raises(Refusal, match=r"init = 'own' is a module's own.*take one of normal"):
        theta(Own())
