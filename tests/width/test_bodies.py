"""Support functions: closed forms, and the points of a body that reach them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.width import Ball, Ellipsoid, Points

AXES = np.array([3.0, 0.5, 0.0, 1.2])
PLACES = np.array([[1.0, 2.0, 0.0], [-1.0, 0.5, 4.0], [0.3, 0.3, 0.3], [0.0, -2.0, -1.0], [-3.0, 0.0, 0.0]])
BODIES = {"ball": Ball(4, 1.7), "ellipsoid": Ellipsoid(AXES), "points": Points(PLACES)}
each_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)


def rows(body, count=40, seed=0):
    return np.random.default_rng(seed).standard_normal((count, body.ambient))


def within(name, count=400, seed=1):
    """Points of the body, some of them on its surface."""
    rng = np.random.default_rng(seed)
    if name == "points":
        return rng.dirichlet(np.full(len(PLACES), 0.3), count) @ PLACES
    unit = rng.standard_normal((count, 4))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return unit * (1.7 if name == "ball" else AXES) * rng.choice([0.4, 1.0], (count, 1))


def test_ambient_dimensions():
    assert [body.ambient for body in BODIES.values()] == [4, 4, 3]


def test_by_hand():
    assert_allclose(Ball(2, 1.5).support(np.array([[3.0, -4.0], [0.0, 2.0]])), [7.5, 3.0])
    assert_allclose(Ball(2).support(np.array([[3.0, -4.0]])), [5.0])
    assert_allclose(Ellipsoid(np.array([2.0, 0.5])).support(np.array([[3.0, -4.0], [0.0, 2.0]])), [np.sqrt(40), 1.0])
    assert_allclose(Points(PLACES).support(np.array([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, -1.0, 0.0]])), [4, 3, 2])


@each_body
def test_no_point_of_the_body_is_further_along(body, request):
    name = request.node.callspec.id
    g = rows(body)
    assert np.all(g @ within(name).T <= body.support(g)[:, None] + 1e-12)


def test_a_point_of_the_body_is_as_far_along():
    g = rows(BODIES["ball"])
    touching = {
        "ball": 1.7 * g / np.linalg.norm(g, axis=1, keepdims=True),
        "ellipsoid": AXES**2 * g / np.linalg.norm(AXES * g, axis=1, keepdims=True),
    }
    for name, points in touching.items():
        assert_allclose(BODIES[name].support(g), np.sum(g * points, axis=1), rtol=1e-12)
    g = rows(BODIES["points"])
    assert_allclose(BODIES["points"].support(g), [max(place @ row for place in PLACES) for row in g], rtol=1e-12)


@each_body
@pytest.mark.parametrize("scale", [0.0, 1e-3, 60.0])
def test_it_grows_with_the_direction(body, scale):
    g = rows(body)
    assert_allclose(body.support(scale * g), scale * body.support(g), rtol=1e-12)


@each_body
def test_it_is_subadditive(body):
    g, h = rows(body), rows(body, seed=2)
    assert np.all(body.support(g + h) <= body.support(g) + body.support(h) + 1e-12)


def test_what_lies_between_points_adds_nothing():
    between = np.vstack([PLACES, within("points", 50)])
    g = rows(BODIES["points"])
    assert_allclose(Points(between).support(g), Points(PLACES).support(g), rtol=1e-12)


def test_one_point_may_lie_behind():
    assert_allclose(Points(PLACES[:1]).support(np.array([[-1.0, -1.0, 5.0]])), [-3.0])


def test_a_ball_is_an_ellipsoid_of_equal_axes():
    g = rows(BODIES["ball"])
    assert_allclose(Ellipsoid(np.full(4, 1.7)).support(g), Ball(4, 1.7).support(g), rtol=1e-12)


def test_a_flat_ellipsoid_has_no_width_across():
    assert_allclose(Ellipsoid(AXES).support(np.array([[0.0, 0.0, 5.0, 0.0]])), [0.0])
    assert_allclose(Ellipsoid(np.zeros(2)).support(np.ones((3, 2))), np.zeros(3))
