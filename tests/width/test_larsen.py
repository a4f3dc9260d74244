"""The bound of Larsen et al.: its sum, its limits, the exact threshold below it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.width import larsen_bound, quadratic_threshold
from tests.width.drawn import initial_loss, well


def test_by_hand():
    """r^2 = 2 eps / h is 4, 1 and 0.25; R^2 = 9."""
    assert_allclose(larsen_bound([0.5, 2.0, 8.0], 3.0, 1.0), 9 / 13 + 9 / 10 + 9 / 9.25, rtol=1e-12)


@pytest.mark.parametrize("radius", [0.3, 2.0])
def test_equal_curvatures(radius):
    found = larsen_bound(np.full(7, 3.0), radius, 0.4)
    assert_allclose(found, 7 * radius**2 / (radius**2 + 0.8 / 3), rtol=1e-12)


def test_equal_curvatures_at_the_start_are_half_their_number():
    assert_allclose(larsen_bound(np.full(11, 0.7), 3.0, 0.5 * 0.7 * 9), 5.5, rtol=1e-12)


def test_a_loss_without_the_half_has_twice_the_curvatures():
    """r^2 = eps / h on the slides."""
    curvatures, radius, loss = np.array([0.2, 1.0, 5.0]), 1.7, 0.6
    slides = np.sum(radius**2 / (radius**2 + loss / curvatures))
    assert_allclose(larsen_bound(2 * curvatures, radius, loss), slides, rtol=1e-12)


def test_flat_directions_add_nothing():
    assert_allclose(larsen_bound([0.0, 2.0, 0.0], 1.5, 0.3), 2.25 / 2.55, rtol=1e-12)
    assert_allclose(larsen_bound([0.0, 2.0, 0.0], 1.5, 0.0), 1.0, rtol=1e-12)


def test_limits_are_the_rank_and_nothing():
    curvatures = np.array([1e-9, 0.0, 3.0, 1e6])
    assert_allclose(larsen_bound(curvatures, 2.0, [0.0, 1e-30, 1e30]), [3, 3, 0], atol=1e-9)
    assert_allclose(larsen_bound(curvatures, [0.0, 1e-30, 1e30], 1.0), [0, 0, 3], atol=1e-9)


def test_counts_are_repetitions():
    curvatures, counts = np.array([0.3, 0.0, 4.0]), [5, 2, 3]
    repeated = larsen_bound(np.repeat(curvatures, counts), 1.1, 0.2)
    assert_allclose(larsen_bound(curvatures, 1.1, 0.2, counts=counts), repeated, rtol=1e-12)
    assert_allclose(larsen_bound([2.0], 1.0, 0.5, counts=[2.5]), 2.5 * 1 / 1.5, rtol=1e-12)


def test_it_broadcasts_over_radius_and_loss():
    curvatures, radius, loss = np.array([0.5, 2.0]), np.array([[0.5], [1.0], [3.0]]), np.array([0.1, 0.2, 0.7, 2.0])
    found = larsen_bound(curvatures, radius, loss)
    singly = [[float(larsen_bound(curvatures, one[0], eps)) for eps in loss] for one in radius]
    assert found.shape == (3, 4)
    assert_allclose(found, singly, rtol=1e-12)


def test_units_do_not_matter():
    curvatures, _ = well(6, flat=1, seed=1)
    expected = larsen_bound(curvatures, 1.3, 0.2)
    assert_allclose(larsen_bound(50 * curvatures, 1.3, 50 * 0.2), expected, rtol=1e-12)
    assert_allclose(larsen_bound(curvatures, 5 * 1.3, 25 * 0.2), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_never_below_the_threshold(seed):
    rng = np.random.default_rng(seed)
    curvatures, displacement = well(int(rng.integers(1, 40)), seed=seed, spread=rng.uniform(0, 3))
    losses = initial_loss(curvatures, displacement) * np.logspace(-6, 0.5, 40)
    bound = larsen_bound(curvatures, np.linalg.norm(displacement), losses)
    assert np.all(bound >= quadratic_threshold(curvatures, displacement, losses) * (1 - 1e-9))


def test_it_bounds_a_start_that_is_far_along_flat_directions():
    curvatures, displacement = np.array([3.0, 0.0, 0.2]), np.array([1.0, 20.0, -2.0])
    losses = initial_loss(curvatures, displacement) * np.array([0.9, 0.1, 1e-3])
    bound = larsen_bound(curvatures, np.linalg.norm(displacement), losses)
    assert np.all(bound > quadratic_threshold(curvatures, displacement, losses))


def test_it_is_sharp_at_the_minimum():
    """What either lacks of the rank is 2 eps tr H^-1 / R^2 to first order: no larger bound of this form would do."""
    curvatures, displacement = well(9, seed=2)
    radius, loss = np.linalg.norm(displacement), 1e-8 * initial_loss(curvatures, displacement)
    lacking = 9 - np.array([larsen_bound(curvatures, radius, loss), quadratic_threshold(curvatures, displacement, loss)])
    assert_allclose(lacking, 2 * loss * np.sum(1 / curvatures) / radius**2, rtol=1e-3)


def test_it_is_loose_far_from_the_minimum():
    """Close to the start hardly a dimension is needed."""
    curvatures, displacement = well(9, seed=3)
    loss = 0.999 * initial_loss(curvatures, displacement)
    assert larsen_bound(curvatures, np.linalg.norm(displacement), loss) > 1
    assert quadratic_threshold(curvatures, displacement, loss) < 0.02
