"""Hits of a ball: closed forms in few dimensions, subspaces drawn at random, limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.width import ball_hit_probability, quadratic_threshold
from tests.conftest import assert_mean
from tests.width.drawn import directions

SHARES = np.array([0.01, 0.2, 0.5, 0.83, 0.999])
CLOSED = {  # (d, D): the probability at r/R
    (1, 2): lambda share: 2 / np.pi * np.arcsin(share),
    (1, 3): lambda share: 1 - np.sqrt(1 - share**2),
    (2, 3): lambda share: share,
    (2, 4): lambda share: share**2,
    (2, 6): lambda share: share**4,
    (4, 6): lambda share: 1 - (1 - share**2) ** 2,
    (2, 9): lambda share: share**7,
    (7, 9): lambda share: 1 - (1 - share**2) ** 3.5,
}


@pytest.mark.parametrize(("dim", "ambient"), CLOSED)
def test_closed_forms(dim, ambient):
    found = ball_hit_probability(dim, ambient, 3 * SHARES, 3.0)
    assert_allclose(found, CLOSED[dim, ambient](SHARES), rtol=1e-10)


@pytest.mark.parametrize(("dim", "near_miss"), [(3, 4), (5, 2)])
def test_subspaces_drawn_at_random(dim, near_miss):
    """Of the centre, the part across the subspace; drawn for d, refused for D - d."""
    rng, radius, centre = np.random.default_rng(dim), 1.1, np.array([0.3, -1.0, 0.5, 0.2, 0.9, 0.0, 0.4])
    columns = directions(rng, 6000, 7, dim)
    along = np.einsum("sij,i->sj", columns, centre)
    across = np.linalg.norm(centre - np.einsum("sij,sj->si", columns, along), axis=1)
    expected, other = ball_hit_probability([dim, near_miss], 7, radius, np.linalg.norm(centre))
    assert_mean(across <= radius, expected, rejects=other)


def test_the_halves_of_a_space_mirror_each_other():
    """What lies across one subspace lies along its complement."""
    share, dims = np.array([0.1, 0.6, 0.9]), np.array([[1], [4], [10]])
    missed = 1 - ball_hit_probability(13 - dims, 13, np.sqrt(1 - share**2), 1.0)
    assert_allclose(ball_hit_probability(dims, 13, share, 1.0), missed, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dim", [0, 1, 4, 5])
def test_from_within_it_is_always_hit(dim):
    assert_allclose(ball_hit_probability(dim, 5, [2.0, 2.1, 50.0], 2.0), 1, rtol=0)
    assert_allclose(ball_hit_probability(dim, 5, [0.0, 1.0], 0.0), 1, rtol=0)


def test_no_direction_misses_and_every_direction_hits():
    assert_allclose(ball_hit_probability([0, 5], 5, 1.999, 2.0), [0, 1], rtol=0)
    assert_allclose(ball_hit_probability([0, 3, 5], 5, 0.0, 2.0), [0, 0, 1], rtol=0)


def test_it_broadcasts():
    dims, radii, distances = np.arange(6)[:, None, None], np.array([0.2, 0.5, 1.0, 3.0])[:, None], np.array([0.5, 1.5])
    found = ball_hit_probability(dims, 5, radii, distances)
    assert found.shape == (6, 4, 2)
    singly = [[[float(ball_hit_probability(d, 5, r, x)) for x in (0.5, 1.5)] for r in radii[:, 0]] for d in range(6)]
    assert_allclose(found, singly, rtol=1e-12)
    assert_allclose(ball_hit_probability(2, [3, 4, 6], 0.5, 1.0), [0.5, 0.25, 0.0625], rtol=1e-10)


def test_more_dimensions_and_larger_balls_are_hit_more_often():
    found = ball_hit_probability(np.arange(13)[:, None], 12, np.linspace(0.05, 0.95, 20), 1.0)
    assert np.all(np.diff(found[:-1], axis=0) > 0)
    assert np.all(np.diff(found[1:-1], axis=1) > 0)


def test_only_the_ratio_of_radius_and_distance_counts():
    found = ball_hit_probability(4, 9, np.array([1e-150, 0.3, 3e150]), np.array([2e-150, 0.6, 6e150]))
    assert_allclose(found, found[1], rtol=1e-9)


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_half_of_all_hit_at_the_threshold_of_its_well(share):
    """H = 1 and eps = r^2/2: d* = D (1 - r^2/R^2), in many dimensions; three standard deviations away hardly any or all."""
    ambient = 40_000
    curvatures, displacement = np.ones(ambient), np.full(ambient, 2 / np.sqrt(ambient))
    threshold = quadratic_threshold(curvatures, displacement, 0.5 * (2 * share) ** 2)
    deviation = np.sqrt(2 * ambient * share**2 * (1 - share**2))
    dims = threshold + deviation * np.array([-3, 0, 3])
    assert_allclose(ball_hit_probability(np.round(dims), ambient, 2 * share, 2.0), [0.00135, 0.5, 0.99865], atol=0.005)
