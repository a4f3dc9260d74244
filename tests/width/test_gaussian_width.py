"""Widths and statistical dimensions: closed forms, integrals, the threshold of a well, the errors that they state."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from rmtlottery.width import (
    Ball,
    Descent,
    Ellipsoid,
    Elliptic,
    Orthant,
    Points,
    Section,
    Subspace,
    distance_to,
    ellipsoid_width,
    gaussian_width,
    mean_length,
    quadratic_threshold,
    statistical_dimension,
)
from tests.width.drawn import initial_loss, well


def rng(seed=0):
    return np.random.default_rng(seed)


def assert_estimate(estimate, expected, *, rejects, bias=0.0):
    """As assert_mean, by the estimate's own standard error."""
    assert abs(estimate.value - expected) - bias <= 5 * estimate.error + 1e-12 * abs(expected)
    assert abs(estimate.value - rejects) - bias > 5 * estimate.error, "too blunt"


def half_angle(steepness):
    return np.arctan(1 / np.sqrt(steepness))


def circular_dimension(ambient, angle):
    """E |Pi g|^2 = D times the mean over the angle to the axis of 1, cos^2(angle - edge) or 0."""
    angles = np.linspace(0, np.pi, 40_001)
    density = np.sin(angles) ** (ambient - 2)
    share = np.cos(np.clip(angles - angle, 0, np.pi / 2)) ** 2
    return ambient * integrate.trapezoid(density * share, angles) / integrate.trapezoid(density, angles)


@pytest.mark.parametrize(("ambient", "radius"), [(1, 2.0), (7, 0.3), (50, 1.0)])
def test_a_ball_has_its_radius_times_the_mean_length(ambient, radius):
    found = gaussian_width(Ball(ambient, radius), 4000, rng())
    assert_estimate(found, radius * mean_length(ambient), rejects=radius * mean_length(ambient + 1.5))


def test_two_points_have_their_distance_over_the_root_of_two_pi():
    """The slide's r(S), with its 1/2 and two points, is this."""
    points = np.array([[5.0, 1.0, -2.0], [5.0, 4.0, 2.0]])
    found = gaussian_width(Points(points), 40_000, rng())
    assert_estimate(found, 5 / np.sqrt(2 * np.pi), rejects=2.5 / np.sqrt(2 * np.pi))


def test_one_point_has_no_width_wherever_it_is():
    assert_estimate(gaussian_width(Points(np.array([[3.0, -4.0]])), 4000, rng()), 0, rejects=1)


def test_the_corners_of_a_cube_have_the_width_of_the_cube():
    """E sum |g_i| = D sqrt(2/pi)."""
    corners = np.stack(np.meshgrid(*[[-1, 1]] * 5), axis=-1).reshape(-1, 5)
    found = gaussian_width(Points(corners.astype(float)), 8000, rng())
    assert_estimate(found, 5 * np.sqrt(2 / np.pi), rejects=5 * np.sqrt(2 / np.pi) * 1.05)


def test_a_section_of_a_subspace_is_a_ball():
    found = gaussian_width(Section(Subspace(3, 11)), 8000, rng())
    assert_estimate(found, mean_length(3), rejects=np.sqrt(3))


@pytest.mark.parametrize("axes", [[1.0, 2.0], [0.3, 0.0, 4.0, 1.0, 1.0], np.geomspace(1e-3, 5, 40)])
def test_an_ellipsoid_by_its_integral_and_by_draws(axes):
    exact, axes = ellipsoid_width(axes), np.array(axes)
    assert_estimate(gaussian_width(Ellipsoid(axes), 20_000, rng()), exact, rejects=1.05 * exact)
    assert np.sqrt(2 / np.pi) * np.linalg.norm(axes) <= exact < np.linalg.norm(axes)


@pytest.mark.parametrize("dims", [1, 2, 9, 1000])
@pytest.mark.parametrize("axis", [1e-5, 1.0, 3e4])
def test_an_ellipsoid_of_equal_axes_is_a_ball(dims, axis):
    assert_allclose(ellipsoid_width(np.full(dims, axis)), axis * mean_length(dims), rtol=1e-7)
    assert_allclose(ellipsoid_width(np.r_[0.0, np.full(dims, axis), 0.0]), axis * mean_length(dims), rtol=1e-7)


def test_two_axes_are_an_elliptic_integral():
    """E |g| = sqrt(pi/2) times the mean over the circle of |(a cos, b sin)|."""
    circle = (np.arange(4096) + 0.5) * 2 * np.pi / 4096
    for a, b in [(1.0, 0.8), (3.0, 0.2)]:
        mean = np.mean(np.hypot(a * np.cos(circle), b * np.sin(circle)))
        assert_allclose(ellipsoid_width([a, b]), np.sqrt(np.pi / 2) * mean, rtol=1e-7)


def test_axes_over_many_decades():
    """What is far shorter than the longest adds nothing."""
    alone = 2e3 * np.sqrt(2 / np.pi)
    assert_allclose(ellipsoid_width([2e3, 1e-9]), alone, rtol=1e-9)
    assert_allclose(ellipsoid_width([2e3]), alone, rtol=1e-9)
    assert_allclose(ellipsoid_width([0.0, 0.0]), 0, atol=0)


def test_lengths_of_an_ellipsoid_scale():
    axes = np.array([0.2, 1.0, 7.0, 0.0])
    assert_allclose(ellipsoid_width(1e6 * axes), 1e6 * ellipsoid_width(axes), rtol=1e-8)
    assert_allclose(ellipsoid_width(axes[::-1]), ellipsoid_width(axes), rtol=1e-10)


CONES = {
    "subspace": (Subspace(3, 10), 3.0),
    "orthant": (Orthant(9), 4.5),
    "in the plane": (Elliptic(np.array([4.0])), 0.5 + 2 * half_angle(4.0) / np.pi),
    "narrow": (Elliptic(np.full(11, 5.0)), circular_dimension(12, half_angle(5.0))),
    "self-dual": (Elliptic(np.ones(6)), 3.5),
    "wide": (Elliptic(np.full(7, 0.05)), circular_dimension(8, half_angle(0.05))),
    "half-space": (Elliptic(np.zeros(5)), 5.5),
    "with free entries": (Elliptic(np.array([0.0, 3.0, 0.0, 3.0])), 2 + circular_dimension(3, half_angle(3.0))),
    "to a ball": (Descent(np.ones(8), np.full(8, 0.5), 0.5 * 0.4**2), circular_dimension(8, np.arcsin(0.4 / 2**0.5))),
}


@pytest.mark.parametrize("name", CONES)
def test_statistical_dimensions_and_distances(name):
    """Also that the two are D together, each by its own draws."""
    cone, expected = CONES[name]
    dimension, distance = statistical_dimension(cone, 6000, rng(1)), distance_to(cone, 6000, rng(2))
    assert_estimate(dimension, expected, rejects=expected + 0.4)
    assert_estimate(distance, cone.ambient - expected, rejects=cone.ambient - expected + 0.4)


def test_a_subspace_of_many_dimensions_lies_at_few_from_a_draw():
    found = distance_to(Subspace(997, 1000), 300, rng())
    assert_estimate(found, 3, rejects=5)
    assert found.error < 0.3


@pytest.mark.parametrize("share", [0.9, 0.5, 0.15, 0.02])
def test_the_distance_to_the_cone_of_descent_is_the_threshold(share):
    """By Monte Carlo and in mean field, within some dimensions of 200; neither R without its square nor 2 eps does."""
    curvatures, displacement = well(200, flat=20, seed=1, spread=1.0)
    loss = share * initial_loss(curvatures, displacement)
    expected = float(quadratic_threshold(curvatures, displacement, loss))
    found = distance_to(Descent(curvatures, displacement, loss), 300, rng())
    assert_estimate(found, expected, rejects=expected + 8, bias=2.0)


@pytest.mark.parametrize("share", [0.97, 0.9])
def test_few_dimensions_are_told_sharply(share):
    """Far more so than by D - |Pi g|^2, whose spread is that of all D."""
    curvatures, displacement = well(400, seed=2, spread=0.3)
    cone = Descent(curvatures, displacement, share * initial_loss(curvatures, displacement))
    found = distance_to(cone, 300, rng())
    lengths = np.sum(cone.project(rng().standard_normal((300, 400))) ** 2, axis=1)
    assert found.value < 60
    assert found.error < 0.6 * np.std(lengths, ddof=1) / np.sqrt(300)
    assert statistical_dimension(cone, 300, rng()).error < 0.6 * np.std(lengths, ddof=1) / np.sqrt(300)


def test_very_few_dimensions_are_told_very_sharply():
    curvatures, displacement = np.ones(400), np.full(400, 0.05)
    found = distance_to(Descent(curvatures, displacement, 0.5 * 0.98), 300, rng())
    assert_estimate(found, 400 - circular_dimension(400, np.arcsin(np.sqrt(0.98))), rejects=12)
    assert found.error < 0.25 * np.sqrt(2 * 400 / 300)


ESTIMATES = {
    "width of a ball": lambda generator: gaussian_width(Ball(5, 2.0), 40, generator),
    "statistical dimension": lambda generator: statistical_dimension(Orthant(8), 40, generator),
    "distance": lambda generator: distance_to(Elliptic(np.full(4, 2.0)), 40, generator),
}


@pytest.mark.parametrize("name", ESTIMATES)
def test_the_stated_error_is_the_spread_of_estimates(name):
    found = [ESTIMATES[name](rng(seed)) for seed in range(400)]
    spread = np.std([estimate.value for estimate in found], ddof=1)
    assert_allclose(spread / np.mean([estimate.error for estimate in found]), 1, atol=0.15)


@pytest.mark.parametrize("name", ESTIMATES)
def test_the_generator_alone_decides(name):
    assert ESTIMATES[name](rng(3)) == ESTIMATES[name](rng(3))
    assert ESTIMATES[name](rng(3)).value != ESTIMATES[name](rng(4)).value


def test_more_samples_tell_it_better():
    few, many = (gaussian_width(Ball(6), samples, rng()).error for samples in (100, 6400))
    assert_allclose(few / many, 8, rtol=0.25)


def test_the_width_of_a_section_and_the_statistical_dimension_agree():
    """w^2 <= delta <= w^2 + 1 [Amelunxen, Lotz, McCoy & Tropp 2014, proposition 10.2]."""
    for ambient in (3, 40):
        width = gaussian_width(Section(Orthant(ambient)), 8000, rng())
        low, high = (width.value - 5 * width.error) ** 2, (width.value + 5 * width.error) ** 2
        assert low <= ambient / 2 <= high + 1


def test_laws_of_a_drawn_projection():
    """Of the half-space: chi-squared of D - 1, and half the time one more."""
    found = statistical_dimension(Elliptic(np.zeros(1)), 20_000, rng())
    variance = 2 + (1.5 - 0.25)
    assert_allclose(distance_to(Elliptic(np.zeros(1)), 20_000, rng()).error, np.sqrt(1.25 / 20_000), rtol=0.1)
    assert found.error <= np.sqrt(variance / 20_000) * 1.1
    assert abs(found.value - 1.5) < 5 * stats.chi2(2).std() / np.sqrt(20_000)
