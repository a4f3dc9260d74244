"""Projections on cones: closed forms, Moreau's conditions, and for the cone of descent the well itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from rmtlottery.width import Descent, Elliptic, Orthant, Section, Subspace
from tests.width.drawn import initial_loss, well

STEEPNESS = {
    "circular": np.full(4, 0.3),
    "elliptic": np.array([0.01, 7.0, 1.0, 250.0]),
    "elliptic with free entries": np.array([2.0, 0.0, 0.5, 0.0]),
    "half-space": np.zeros(3),
    "ray of no width": np.array([1e8, 1e8]),
    "in the plane": np.array([0.6]),
}
WELLS = {
    "far": (*well(6, seed=1), 0.01),
    "near": (*well(5, seed=2), 0.97),
    "flat directions": (*well(9, flat=3, seed=3), 0.3),
    "many decades": (np.logspace(-6, 4, 12), well(12, seed=4)[1], 0.05),
    "displaced along few": (np.array([2.0, 0.7, 0.0, 5.0]), np.array([1.0, 0.0, 3.0, 0.0]), 0.2),
    "equal curvatures": (np.full(5, 2.0), well(5, seed=5)[1], 0.4),
    "one curved": (np.array([0.0, 3.0, 0.0]), np.array([1.0, -2.0, 0.5]), 0.5),
}


def descent(name):
    curvatures, displacement, share = WELLS[name]
    return Descent(curvatures, displacement, share * initial_loss(curvatures, displacement))


CONES = {"subspace": Subspace(3, 5), "point": Subspace(0, 3), "whole space": Subspace(4, 4), "orthant": Orthant(6)}
CONES |= {name: Elliptic(steepness) for name, steepness in STEEPNESS.items()}
CONES |= {f"descent, {name}": descent(name) for name in WELLS}
each_cone = pytest.mark.parametrize("name", CONES)


def in_well(name, rng, count):
    """Ways from w_0 to points of the sublevel set, half of them to its surface, all along the flat."""
    curvatures, displacement, share = WELLS[name]
    curved = curvatures > 0
    unit = rng.standard_normal((count, curved.sum()))
    unit *= rng.choice([0.5, 1.0], (count, 1)) / np.linalg.norm(unit, axis=1, keepdims=True)
    ways = 30 * rng.standard_normal((count, len(curvatures)))
    reach = np.sqrt(2 * share * initial_loss(curvatures, displacement) / curvatures[curved])
    ways[:, curved] = unit * reach - displacement[curved]
    return ways


def members(name, count=600, seed=1):
    """Points of the cone, many of them on its surface, drawn by its definition."""
    rng = np.random.default_rng(seed)
    if name.startswith("descent"):
        return in_well(name.removeprefix("descent, "), rng, count) * rng.exponential(size=(count, 1))
    x = rng.standard_normal((count, CONES[name].ambient)) * np.exp(rng.standard_normal((count, 1)))
    if name == "orthant":
        return np.abs(x) * rng.choice([0, 1], x.shape)
    if name in STEEPNESS:
        x[:, 0] = np.sqrt(x[:, 1:] ** 2 @ STEEPNESS[name]) + rng.choice([0, 1], count) * np.abs(x[:, 0])
        return x
    return x * (np.arange(x.shape[1]) < {"subspace": 3, "point": 0, "whole space": 4}[name])


def excess(name, x):
    """By how much each row is out of the cone, in units of its length; none for members."""
    scale = np.linalg.norm(x, axis=1) + 1e-300
    if name.startswith("descent"):
        return above_target(x / scale[:, None], *WELLS[name.removeprefix("descent, ")])
    if name == "orthant":
        return np.max(-x, axis=1) / scale
    if name in STEEPNESS:
        return (np.sqrt(x[:, 1:] ** 2 @ STEEPNESS[name]) - x[:, 0]) / scale / np.sqrt(1 + np.max(STEEPNESS[name]))
    dim = {"subspace": 3, "point": 0, "whole space": 4}[name]
    return np.linalg.norm(x[:, dim:], axis=1) / scale


def above_target(x, curvatures, displacement, share):
    """How far above eps the least loss of each ray stays, as a share of L_0; limits of descent count as members."""
    start = initial_loss(curvatures, displacement)
    slope, bend = x @ (curvatures * displacement), x**2 @ curvatures
    drop = np.where(slope < 0, slope**2, 0.0)
    return (2 * (1 - share) * start * bend - drop) / (2 * start * np.max(curvatures))


def directions(name, count=300, seed=0):
    """Half of them near members, half anywhere."""
    rng = np.random.default_rng(seed)
    g = rng.standard_normal((count, CONES[name].ambient))
    near = members(name, count // 2, seed + 5)
    g[: count // 2] = near + 0.3 * g[: count // 2] * (np.linalg.norm(near, axis=1, keepdims=True) + 1e-3)
    return g


@each_cone
def test_the_projection_lies_in_the_cone(name):
    found = CONES[name].project(directions(name))
    assert found.shape == directions(name).shape
    assert np.max(excess(name, found)) < 1e-9


@each_cone
def test_the_residual_is_orthogonal_and_in_the_polar(name):
    """<g - Pi g, Pi g> = 0 and <g - Pi g, x> <= 0 for every member: with the former test this is the projection."""
    g = directions(name)
    projected, size = CONES[name].project(g), np.linalg.norm(g, axis=1)
    residual = g - projected
    nearby = CONES[name].project(g + 0.05 * size[:, None] * np.random.default_rng(9).standard_normal(g.shape))
    x = np.vstack([members(name), projected, nearby])
    assert np.max(np.abs(np.sum(residual * projected, axis=1)) / size**2) < 1e-9
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    assert np.max(residual @ x.T / size[:, None]) < 1e-9


@each_cone
def test_members_stay_and_are_members(name):
    x = members(name)
    assert np.max(excess(name, x)) < 1e-12
    size = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    assert_allclose(CONES[name].project(x) / size, x / size, atol=2e-8)


@each_cone
def test_to_project_twice_is_to_project_once(name):
    g = directions(name)
    once = CONES[name].project(g)
    size = np.linalg.norm(g, axis=1, keepdims=True)
    assert_allclose(CONES[name].project(once) / size, once / size, atol=2e-8)


@each_cone
def test_the_polar_goes_to_the_apex(name):
    g = directions(name)
    polar = g - CONES[name].project(g)
    size = np.linalg.norm(g, axis=1, keepdims=True)
    assert_allclose(CONES[name].project(polar) / size, 0 * g, atol=2e-8)


@each_cone
@pytest.mark.parametrize("scale", [1e-8, 13.0, 1e9])
def test_longer_directions_have_longer_projections(name, scale):
    g = directions(name, 60)
    size = np.linalg.norm(g, axis=1, keepdims=True)
    assert_allclose(CONES[name].project(scale * g) / (scale * size), CONES[name].project(g) / size, atol=1e-8)


@each_cone
def test_the_apex_stays(name):
    zeros = np.zeros((2, CONES[name].ambient))
    assert_allclose(CONES[name].project(zeros), zeros, atol=0)


@each_cone
def test_nothing_is_written_into_the_directions(name):
    g = directions(name, 20)
    before = g.copy()
    CONES[name].project(g)
    assert np.array_equal(g, before)


@each_cone
def test_a_section_supports_by_the_length_of_the_projection(name):
    section, g = Section(CONES[name]), directions(name, 50)
    assert section.ambient == CONES[name].ambient
    assert_allclose(section.support(g), np.linalg.norm(CONES[name].project(g), axis=1), rtol=1e-9, atol=1e-12)


def test_by_hand():
    """The Lorentz cone: ((t + |z|)/2) (1, z/|z|)."""
    assert_allclose(Subspace(1, 3).project(np.array([[-2.0, 3.0, 4.0]])), [[-2, 0, 0]])
    assert_allclose(Orthant(3).project(np.array([[-2.0, 3.0, 0.0]])), [[0, 3, 0]])
    g = np.array([[1.0, 3.0, -4.0], [5.1, 3.0, -4.0], [-5.1, 3.0, -4.0], [-2.0, 0.0, 0.0]])
    expected = [[3, 1.8, -2.4], [5.1, 3, -4], [0, 0, 0], [0, 0, 0]]
    assert_allclose(Elliptic(np.ones(2)).project(g), expected, atol=1e-12)


def test_a_steeper_cone_in_the_plane():
    """x_1 >= 2 |x_2|: on its edge (2, 1)/sqrt 5; a steepness is squared."""
    edge = np.array([2.0, 1.0]) / np.sqrt(5)
    g = np.array([1.0, 3.0])
    assert_allclose(Elliptic(np.array([4.0])).project(g[None]), [(g @ edge) * edge], rtol=1e-10)


def test_without_steepness_it_is_a_half_space():
    g = np.array([[-1.0, 3.0, -4.0], [2.0, 3.0, -4.0]])
    assert_allclose(Elliptic(np.zeros(2)).project(g), [[0, 3, -4], [2, 3, -4]], atol=1e-12)


def test_free_entries_stay():
    g = directions("elliptic with free entries")
    found = CONES["elliptic with free entries"].project(g)
    assert_allclose(found[:, [2, 4]], g[:, [2, 4]], rtol=1e-10)
    assert_allclose(found[:, [0, 1, 3]], Elliptic(np.array([2.0, 0.5])).project(g[:, [0, 1, 3]]), atol=1e-9)


@pytest.mark.parametrize("name", WELLS)
def test_rays_of_the_cone_of_descent_reach_the_loss(name):
    """By minimising along them: from each projection on the surface a little inward, and a little outward."""
    curvatures, displacement, share = WELLS[name]
    start = initial_loss(curvatures, displacement)
    inward = -np.where(curvatures > 0, displacement, 0.0)
    rng = np.random.default_rng(6)
    g = rng.standard_normal((40, len(curvatures)))
    surface = descent(name).project(g)
    outside = np.linalg.norm(surface - g, axis=1) > 1e-6
    unit = surface / np.maximum(np.linalg.norm(surface, axis=1, keepdims=True), 1e-300)
    for ray in unit[outside & (np.linalg.norm(surface, axis=1) > 1e-6)][:6]:
        assert least_along(ray + 1e-3 * inward, curvatures, displacement) <= share * start * (1 + 1e-6)
    for ray in g[outside][:6]:
        assert least_along(ray, curvatures, displacement) > share * start


def least_along(ray, curvatures, displacement):
    """Over exponentially spaced steps, and then between the two about the best."""

    def loss(log_step):
        return initial_loss(curvatures, displacement + np.exp(log_step) * ray)

    steps = np.linspace(-20, 20, 400)
    best = steps[np.argmin([loss(step) for step in steps])]
    return minimize_scalar(loss, bounds=(best - 0.2, best + 0.2), method="bounded", options={"xatol": 1e-10}).fun


def test_the_cone_to_a_ball_is_circular():
    """H = 1: about -u, of half-angle arcsin(r/R)."""
    displacement, radius = np.array([1.0, -2.0, 0.5, 1.5]), 1.2
    length = np.linalg.norm(displacement)
    cone = Descent(np.ones(4), displacement, 0.5 * radius**2)
    g = np.random.default_rng(7).standard_normal((200, 4))
    along = -g @ displacement / length
    across = np.sqrt(np.sum(g**2, axis=1) - along**2)
    angle = np.arctan2(across, along)
    edge = np.arcsin(radius / length)
    expected = np.linalg.norm(g, axis=1) * np.cos(np.clip(angle - edge, 0, np.pi / 2))
    assert_allclose(np.linalg.norm(cone.project(g), axis=1), expected, atol=1e-9)


@pytest.mark.parametrize("first", [0.0, 1e-300, -1e-300])
def test_a_point_beside_the_apex_is_projected(first):
    found = Elliptic(np.array([1.0])).project(np.array([[first, 1.0]]))
    np.testing.assert_allclose(found, [[0.5, 0.5]], rtol=1e-9)
