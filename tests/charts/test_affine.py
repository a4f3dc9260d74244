"""theta_0 + P x and theta_0 + lambda_l (P x)_l: where they lead, and the transpose of their slope."""

import math

import pytest
import torch

from rmtlottery.charts.affine import affine, leading, said
from rmtlottery.charts.chart import Chart, masked
from rmtlottery.charts.hadamard import hadamard
from rmtlottery.charts.projections import KINDS, projection

LAYERS = [20, 12, 10]
WEIGHTS = sum(LAYERS)
LAYER = torch.repeat_interleave(torch.arange(3), torch.tensor(LAYERS))
every_kind = pytest.mark.parametrize("kind", KINDS)
closely = {"rtol": 1e-5, "atol": 1e-5}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def theta():
    return normal(3, WEIGHTS)


def alike(kind):
    return [projection(kind, WEIGHTS, 7, seed) for seed in (0, 1, 1)]


def uneven():
    """Kinds, dimensions and seeds of their own, and one that comes twice, not as neighbours."""
    first = projection("dense", WEIGHTS, 7, 0)
    return [first, projection("fastfood", WEIGHTS, 4, 1), first]


def rows(p):
    return p.apply(torch.eye(p.dim, dtype=torch.float64)).T


def moved(maps, x):
    """P x, by explicit matrices, of as many coordinates as each P has."""
    return torch.stack([rows(p) @ row[: p.dim] for p, row in zip(maps, x, strict=True)])


def moved_by_layers(maps, coordinates):
    """lambda_l (P x)_l."""
    return coordinates[:, :3][:, LAYER] * moved(maps, coordinates[:, 3:])


PATHS = {"affine": (affine, moved, 0), "said": (lambda theta, maps: said(theta, maps, LAYERS), moved_by_layers, 3)}
every_path = pytest.mark.parametrize("name", PATHS)


def loss(weights):
    """Quadratic and unlike in every weight, one a replicate: its central differences are exact along a coordinate."""
    tilt = torch.linspace(-1, 2, WEIGHTS, dtype=torch.float64)
    return (tilt * weights).sum(1) + weights.roll(1, 1).mul(weights).sum(1) / 2 + weights.square().sum(1)


def pulled(chart, at):
    weights = chart.weights(at).detach().requires_grad_()
    return chart.pull(torch.autograd.grad(loss(weights).sum(), weights)[0], at)


def assert_gradient_is_that_of_differences(chart, at, where=slice(None)):
    """Coordinate by coordinate, by steps of 1: P is reckoned in float32."""
    gradient = pulled(chart, at)
    steps = torch.eye(at.shape[1], dtype=at.dtype)
    pairs = [(loss(chart.weights(at + step)) - loss(chart.weights(at - step))) / 2 for step in steps]
    torch.testing.assert_close(gradient[:, where], torch.stack(pairs, 1)[:, where], rtol=1e-4, atol=1e-4)


@every_kind
@every_path
def test_training_starts_at_theta(name, kind, theta):
    chart = PATHS[name][0](theta, alike(kind))
    first = PATHS[name][2]
    assert chart.start.shape == (3, first + 7)
    assert (chart.start[:, :first] == 1).all()
    assert (chart.start[:, first:] == 0).all()
    assert torch.equal(chart.weights(chart.start), theta)
    assert not chart.plain


@every_kind
@every_path
def test_weights_are_theta_and_what_the_matrices_move(name, kind, theta):
    make, move, first = PATHS[name]
    at = normal(3, first + 7, seed=1)
    torch.testing.assert_close(make(theta, alike(kind)).weights(at), theta + move(alike(kind), at), **closely)


@every_path
def test_dimensions_kinds_and_order_may_differ(name, theta):
    make, move, first = PATHS[name]
    chart, at = make(theta, uneven()), normal(3, first + 7, seed=1)
    assert chart.start.shape == (3, first + 7)
    torch.testing.assert_close(chart.weights(at), theta + move(uneven(), at), **closely)


@every_path
def test_coordinates_beyond_a_narrower_projection_move_nothing_and_are_not_pulled(name, theta):
    make, _, first = PATHS[name]
    chart, at = make(theta, uneven()), normal(3, first + 7, seed=1)
    beyond = at.clone()
    beyond[1, first + 4 :] += 100
    assert torch.equal(chart.weights(beyond), chart.weights(at))
    gradient = chart.pull(normal(3, WEIGHTS, seed=2), at)
    assert (gradient[1, first + 4 :] == 0).all()
    assert (gradient[[0, 2], first + 4 :] != 0).all()


@every_path
def test_equal_projections_are_as_good_as_one(name, theta):
    """Neighbours with one P may be mapped together: replicates do not mix."""
    make, _, first = PATHS[name]
    maps = [projection("fastjl", WEIGHTS, 7, seed) for seed in (0, 0, 1)]
    chart, at, g = make(theta, maps), normal(3, first + 7, seed=1), normal(3, WEIGHTS, seed=2)
    for r in range(3):
        alone = make(theta[[r]], [maps[r]])
        torch.testing.assert_close(chart.weights(at)[[r]], alone.weights(at[[r]]), **closely)
        torch.testing.assert_close(chart.pull(g.clone(), at)[[r]], alone.pull(g[[r]].clone(), at[[r]]), **closely)


@every_kind
@every_path
def test_pull_is_the_transpose_of_the_slope(name, kind, theta):
    """By autograd through the explicit matrices."""
    make, move, first = PATHS[name]
    at, g = normal(3, first + 7, seed=1).requires_grad_(), normal(3, WEIGHTS, seed=2)
    expected = torch.autograd.grad((move(alike(kind), at) * g).sum(), at)[0]
    torch.testing.assert_close(make(theta, alike(kind)).pull(g.clone(), at.detach()), expected, **closely)


@every_kind
@every_path
def test_gradients_are_those_of_differences_in_every_coordinate(name, kind, theta):
    make, _, first = PATHS[name]
    assert_gradient_is_that_of_differences(make(theta, alike(kind)), normal(3, first + 7, seed=1))


@every_path
def test_gradients_are_those_of_differences_where_dimensions_differ(name, theta):
    make, _, first = PATHS[name]
    assert_gradient_is_that_of_differences(make(theta, uneven()), normal(3, first + 7, seed=1))


@every_path
def test_theta_and_the_coordinates_are_left_as_they_were(name, theta):
    make, _, first = PATHS[name]
    at, before = normal(3, first + 7, seed=1), theta.clone()
    chart, there = make(theta, uneven()), at.clone()
    chart.weights(at).zero_()
    chart.pull(normal(3, WEIGHTS, seed=2), at)
    chart.weights(chart.start).add_(1)
    assert torch.equal(theta, before)
    assert torch.equal(at, there)
    assert torch.equal(chart.weights(chart.start), before)


@every_path
@pytest.mark.parametrize("kind", ["dense", "orthonormal", "fastfood", "fastfood_block", "fastjl"])
def test_every_coordinate_feels_a_bias_of_ten(name, kind, theta):
    make, _, first = PATHS[name]
    at, g = normal(3, first + 30, seed=1), torch.zeros(3, WEIGHTS, dtype=torch.float64)
    g[:, -10:] = normal(3, 10, seed=2)
    gradient = make(theta, [projection(kind, WEIGHTS, 30, seed) for seed in range(3)]).pull(g, at)
    assert (gradient[:, first:] != 0).all()
    assert first == 0 or (gradient[:, :2] == 0).all()


def test_a_factor_scales_its_own_layer_alone(theta):
    chart = said(theta, alike("dense"), LAYERS)
    at = torch.cat([torch.ones(3, 3), torch.ones(3, 7)], 1).double()
    moved_by, twice = chart.weights(at) - theta, at.clone()
    twice[:, 1] = 2
    torch.testing.assert_close(chart.weights(twice) - theta, torch.where(LAYER == 1, 2 * moved_by, moved_by), **closely)


def test_factors_are_not_pulled_before_anything_has_moved(theta):
    """The slope of lambda (P x) by lambda is P x = 0 at the start; that by x is not."""
    chart = said(theta, alike("dense"), LAYERS)
    gradient = chart.pull(normal(3, WEIGHTS, seed=2), chart.start)
    assert (gradient[:, :3] == 0).all()
    assert (gradient[:, 3:] != 0).all()


class NormalisedOnTheWayBack(torch.autograd.Function):
    """The defect of others: H forward, H/sqrt(L) backward."""

    @staticmethod
    def forward(ctx, x):
        return hadamard(x)

    @staticmethod
    def backward(ctx, gradient):
        return hadamard(gradient) / gradient.shape[-1] ** 0.5


def layer_by_layer(theta, dim, transform):
    """SAID with a Fastfood for each layer of its own padded length L, whose gradient comes by way of `transform`."""

    def weights(at):
        pieces = []
        for layer, (number, start) in enumerate(zip(LAYERS, theta.split(LAYERS, 1), strict=True)):
            padded, stream = 2 ** math.ceil(math.log2(number)), torch.Generator().manual_seed(layer)
            signs, gauss = (torch.randn(padded, generator=stream, dtype=torch.float64) for _ in range(2))
            order = torch.randperm(padded, generator=stream)
            x = torch.nn.functional.pad(at[:, 3:], (0, padded - dim))
            mixed = transform(gauss * transform(signs.sign() * x)[:, order]) / (number * gauss.square().sum()) ** 0.5
            pieces.append(start + at[:, [layer]] * mixed[:, :number])
        return torch.cat(pieces, 1)

    def pull(gradient, at):
        at = at.detach().clone().requires_grad_()
        return torch.autograd.grad((weights(at) * gradient).sum(), at)[0]

    start = torch.cat([torch.ones(len(theta), 3), torch.zeros(len(theta), dim)], 1).double()
    return Chart(start, weights, pull)


def test_a_gradient_of_one_over_the_padded_length_is_noticed(theta):
    """The same weights, the same gradient of the factors; that of x is 1/L of the truth, L = 32, 16 and 16."""
    at = normal(3, 10, seed=1)
    right, theirs = (layer_by_layer(theta, 7, h) for h in (hadamard_by_autograd, NormalisedOnTheWayBack.apply))
    assert torch.equal(right.weights(at), theirs.weights(at))
    assert_gradient_is_that_of_differences(right, at)
    assert_gradient_is_that_of_differences(theirs, at, slice(3))
    with pytest.raises(AssertionError, match="not close"):
        assert_gradient_is_that_of_differences(theirs, at)
    for layer, length in enumerate((32, 16, 16)):
        g = normal(3, WEIGHTS, seed=2) * (layer == LAYER)
        torch.testing.assert_close(theirs.pull(g, at)[:, 3:] * length, right.pull(g, at)[:, 3:])


def hadamard_by_autograd(x):
    return x @ hadamard(torch.eye(x.shape[-1], dtype=x.dtype))


@every_path
def test_leading_holds_back_all_but_the_first_coordinates(name, theta):
    make, _, first = PATHS[name]
    chart, at, g = make(theta, alike("dense")), normal(3, first + 7, seed=1), normal(3, WEIGHTS, seed=2)
    some, dims = leading(chart, [2, 5, first + 7]), [2, 5, first + 7]
    kept, free = some.pull(g.clone(), at), chart.pull(g.clone(), at)
    for r, dim in enumerate(dims):
        assert (kept[r, dim:] == 0).all()
        assert torch.equal(kept[r, :dim], free[r, :dim])
    assert torch.equal(some.start, chart.start)
    assert torch.equal(some.weights(at), chart.weights(at))


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if KINDS[kind].nested))
def test_leading_coordinates_of_a_nested_projection_are_the_chart_of_a_narrower_one(kind, theta):
    wide = leading(affine(theta, alike(kind)), [4, 4, 4])
    narrow = affine(theta, [projection(kind, WEIGHTS, 4, seed) for seed in (0, 1, 1)])
    at = torch.nn.functional.pad(normal(3, 4, seed=1), (0, 3))
    torch.testing.assert_close(wide.weights(at), narrow.weights(at[:, :4]), **closely)
    torch.testing.assert_close(pulled(wide, at)[:, :4], pulled(narrow, at[:, :4]), rtol=1e-5, atol=1e-4)


@every_path
def test_under_a_mask_pruned_weights_are_zero_and_pull_at_nothing(name, theta):
    """m o (theta_0 + P x)."""
    make, move, first = PATHS[name]
    mask, at = normal(3, WEIGHTS, seed=4) > 0, normal(3, first + 7, seed=1)
    chart = masked(make(theta, uneven()), mask)
    torch.testing.assert_close(chart.weights(at), torch.where(mask, theta + move(uneven(), at), 0.0), **closely)
    assert_gradient_is_that_of_differences(chart, at)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_and_gradients_keep_the_dtype(dtype, theta):
    for make, _, first in PATHS.values():
        chart = make(theta.to(dtype), uneven())
        at = normal(3, first + 7, seed=1).to(dtype)
        assert chart.start.dtype == dtype
        assert chart.weights(at).dtype == dtype
        assert chart.pull(normal(3, WEIGHTS, seed=2).to(dtype), at).dtype == dtype
