"""Least losses in nested subspaces: least squares, exact laws, the threshold of the well."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from rmtlottery.width import ball_hit_probability, hitting_dimensions, least_losses, quadratic_threshold
from tests.conftest import assert_mean
from tests.width.drawn import directions, initial_loss, loss_within, well

WELLS = {
    "full rank": well(7, seed=1),
    "flat directions": well(12, flat=5, seed=2),
    "many decades": (np.logspace(-6, 4, 9), well(9, seed=3)[1]),
    "displaced along one": (np.array([1.0, 0.2, 5.0, 0.0]), np.array([0.0, 3.0, 0.0, 1.0])),
}
each_well = pytest.mark.parametrize("name", WELLS)


def losses(name, draws=50, seed=0):
    return least_losses(*WELLS[name], draws, np.random.default_rng(seed))


@each_well
def test_from_the_start_to_the_minimum(name):
    curvatures, displacement = WELLS[name]
    found, rank = losses(name), np.count_nonzero(curvatures)
    start = initial_loss(curvatures, displacement)
    assert found.shape == (50, len(curvatures) + 1)
    assert_allclose(found[:, 0], start, rtol=1e-12)
    assert_allclose(found[:, rank:], 0, atol=1e-12 * start)
    assert np.all(found[:, 1:rank] > 0)


@each_well
def test_more_dimensions_never_lose(name):
    found = losses(name, 300)
    assert np.all(np.diff(found, axis=1) <= 0)
    assert np.all(found >= 0)


@each_well
def test_the_end_is_hit_even_at_a_loss_of_0(name):
    rank = np.count_nonzero(WELLS[name][0])
    assert np.all(hitting_dimensions(losses(name), 0.0) == rank)


@pytest.mark.parametrize("name", ["full rank", "flat directions"])
@pytest.mark.parametrize("dim", [1, 3, 5])
def test_they_are_least_squares_on_the_same_law(name, dim):
    curvatures, displacement = WELLS[name]
    columns = directions(np.random.default_rng(8), 2500, len(curvatures), dim)
    by_squares = np.array([loss_within(curvatures, displacement, each) for each in columns])
    found = losses(name, 2500)[:, dim]
    assert_mean(found - by_squares, 0, rejects=0.2 * by_squares.mean())
    assert stats.ks_2samp(found, by_squares).pvalue > 1e-6
    assert stats.ks_2samp(losses(name, 2500)[:, dim + 1], by_squares).pvalue < 1e-9


def test_in_a_round_well_the_share_that_is_left_is_beta():
    """Beta((D - d)/2, d/2), first the codimension."""
    displacement = well(9, seed=4)[1]
    found = least_losses(np.full(9, 2.5), displacement, 3000, np.random.default_rng(1))
    shares = found / initial_loss(2.5, displacement)
    for dim in (1, 4, 7):
        assert_mean(shares[:, dim], (9 - dim) / 9, rejects=(9 - dim) / 9 + 0.05)
        assert stats.kstest(shares[:, dim], stats.beta((9 - dim) / 2, dim / 2).cdf).pvalue > 1e-6
    assert stats.kstest(shares[:, 4], stats.beta(4 / 2, 5 / 2).cdf).pvalue < 1e-9


def test_subspaces_are_nested():
    """Each further direction leaves its own independent share: Beta((D - d - 1)/2, 1/2)."""
    found = least_losses(np.ones(8), np.ones(8), 4000, np.random.default_rng(2))
    shares = found[:, 1:8] / found[:, :7]
    for dim in range(7):
        assert_mean(shares[:, dim], (7 - dim) / (8 - dim), rejects=(7 - dim) / (8 - dim) + 0.06)
    off = np.corrcoef(shares.T)[~np.eye(7, dtype=bool)]
    assert np.max(np.abs(off)) < 5 / np.sqrt(4000)


def test_draws_are_independent():
    first = losses("full rank", 3000)[:, 3]
    assert len(np.unique(first)) == 3000
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / np.sqrt(3000)


def test_a_round_well_is_hit_as_a_ball():
    displacement, radius = np.array([0.5, -1.0, 0.3, 0.9, 0.2, 1.4]), 1.3
    found = least_losses(np.ones(6), displacement, 4000, np.random.default_rng(3))
    for dim in (1, 2, 4):
        hit = hitting_dimensions(found, 0.5 * radius**2) <= dim
        expected, other = ball_hit_probability([dim, dim + 1], 6, radius, np.linalg.norm(displacement))
        assert_mean(hit, expected, rejects=other)


@pytest.mark.parametrize("share", [0.6, 0.2, 0.03])
def test_half_of_the_draws_hit_at_the_threshold(share):
    curvatures, displacement = well(90, flat=9, seed=5, spread=0.7)
    loss = share * initial_loss(curvatures, displacement)
    hits = hitting_dimensions(least_losses(curvatures, displacement, 250, np.random.default_rng(4)), loss)
    threshold = float(quadratic_threshold(curvatures, displacement, loss))
    assert_mean(hits, threshold + 0.5, rejects=threshold + 6, bias=1.2)
    assert abs(np.median(hits) - threshold) < 3.5


@pytest.mark.parametrize("scale", [1e-6, 30.0])
def test_units_scale_the_losses(scale):
    """Also exactly the same draws: the generator alone decides them."""
    curvatures, displacement = WELLS["flat directions"]
    base = losses("flat directions", 20)
    curved = least_losses(scale * curvatures, displacement, 20, np.random.default_rng(0))
    further = least_losses(curvatures, scale * displacement, 20, np.random.default_rng(0))
    assert_allclose(curved, scale * base, rtol=1e-6, atol=1e-12 * scale * base[0, 0])
    assert_allclose(further, scale**2 * base, rtol=1e-6, atol=1e-12 * scale**2 * base[0, 0])


def test_what_lies_along_flat_directions_does_not_matter():
    curvatures, displacement = WELLS["flat directions"]
    moved = np.where(curvatures > 0, displacement, 100.0)
    found = least_losses(curvatures, moved, 20, np.random.default_rng(0))
    assert_allclose(found, losses("flat directions", 20), rtol=1e-9, atol=1e-12)


def test_one_draw_of_one_dimension():
    assert_allclose(least_losses([3.0], [2.0], 1, np.random.default_rng(0)), [[6.0, 0.0]])


TABLE = np.array([[8.0, 4.0, 4.0, 1.0, 0.0], [8.0, 7.0, 0.5, 0.25, 0.0]])


@pytest.mark.parametrize(
    ("loss", "expected"), [(9, [0, 0]), (8, [0, 0]), (7, [1, 1]), (4, [1, 2]), (3.99, [3, 2]), (0.3, [4, 3]), (0, [4, 4])]
)
def test_hits_of_a_table(loss, expected):
    """At most as much: a loss that is just reached is hit."""
    assert hitting_dimensions(TABLE, loss).tolist() == expected


def test_hits_have_the_shape_of_the_losses_behind_the_draws():
    targets = np.array([[8.0, 4.0, 3.99], [0.3, 0.0, 7.0]])
    found = hitting_dimensions(TABLE, targets)
    assert found.shape == (2, 2, 3)
    singly = [[hitting_dimensions(TABLE, target) for target in row] for row in targets]
    assert np.array_equal(found, np.moveaxis(singly, -1, 0))


def test_a_loss_that_is_not_reached_takes_more_than_every_dimension():
    assert hitting_dimensions(TABLE[:, :4], 0.3).tolist() == [4, 3]
