"""Cones of bodies: wells whose sublevel sets are balls, hits of balls, orthants, Moreau's conditions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.width import Descent, Orthant, SeenBall, SeenPoints, ball_hit_probability, distance_to, statistical_dimension
from tests.conftest import assert_mean
from tests.width.drawn import directions

CENTRE = np.array([0.3, -1.0, 0.5, 0.2, 0.9, -0.4])


def drawn(ambient, count=300, seed=0):
    return np.random.default_rng(seed).standard_normal((count, ambient))


@pytest.mark.parametrize("share", [0.1, 0.6, 0.98])
def test_a_ball_is_the_sublevel_set_of_a_round_well(share):
    """1/2 |w - c|^2 <= r^2/2, w_0 at the origin: the displacement from the solution is -c."""
    g, radius = drawn(6), share * np.linalg.norm(CENTRE)
    well = Descent(np.ones(6), -CENTRE, radius**2 / 2)
    assert_allclose(SeenBall(CENTRE, radius).project(g), well.project(g), atol=1e-10)


def test_a_ball_on_the_first_axis_needs_no_turning():
    g, centre = drawn(4), np.array([2.0, 0.0, 0.0, 0.0])
    assert_allclose(SeenBall(centre, 1.0).project(g), Descent(np.ones(4), -centre, 0.5).project(g), atol=1e-10)


def test_half_of_all_subspaces_hit_a_ball_where_its_cone_says():
    """Beta against the statistical dimension: D less it is where subspaces begin to meet a convex cone."""
    ambient, share = 400, 0.6
    centre = np.random.default_rng(1).standard_normal(ambient)
    cone = SeenBall(centre, share * np.linalg.norm(centre))
    found = distance_to(cone, samples=60, generator=np.random.default_rng(2))
    chances = ball_hit_probability(np.arange(ambient + 1), ambient, share, 1.0)
    half = np.interp(0.5, chances, np.arange(ambient + 1))
    assert abs(found.value - half) < 2 + 5 * found.error
    assert abs(found.value - half * 1.1) > 2 + 5 * found.error


def test_unit_vectors_generate_the_orthant():
    g = drawn(5)
    assert_allclose(SeenPoints(3 * np.eye(5)).project(g), Orthant(5).project(g), atol=1e-10)
    found = statistical_dimension(SeenPoints(np.eye(5)), samples=200, generator=np.random.default_rng(0))
    assert abs(found.value - 2.5) < 5 * found.error


def test_the_projection_on_generated_cones_fulfils_moreau():
    points, g = drawn(7, count=4, seed=3), drawn(7, seed=4)
    near = SeenPoints(points).project(g)
    rest = g - near
    assert_allclose((near * rest).sum(1), 0, atol=1e-9)
    assert (rest @ points.T).max() < 1e-9, "what is left lies in the polar cone"
    assert_allclose(SeenPoints(points).project(near), near, atol=1e-9)


def test_subspaces_meet_a_triangle_as_often_as_they_meet_its_cone():
    """Two dimensions of three: a plane through w_0 misses a triangle only if it has all corners on one side."""
    corners = np.array([[1.0, 0.2, 1.0], [0.1, 1.0, 1.2], [-0.8, -0.3, 1.1]])
    across = np.cross(*np.moveaxis(directions(np.random.default_rng(5), 4000, 3, 2), 2, 0))
    sides = np.sign(across @ corners.T)
    met = np.abs(sides.sum(1)) < 3
    units = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    angles = np.arccos((units * np.roll(units, 1, axis=0)).sum(1)).sum()
    assert_mean(met, angles / (2 * np.pi), rejects=angles / (2 * np.pi) * 0.85)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: SeenBall(CENTRE, 5.0), "a ball of radius 5 about a point 1.53297 away is not seen from outside"),
        (lambda: SeenBall(CENTRE, 0.0), "a ball of radius 0 .* is not seen from outside"),
        (lambda: SeenPoints(np.zeros(3)), "are no table of finite numbers"),
    ],
)
def test_what_is_not_seen_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
