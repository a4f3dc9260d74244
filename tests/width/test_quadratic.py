"""The threshold of a quadratic well: its parametric curve, closed forms, limits, symmetries, subspaces drawn at random."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.width import Well, quadratic_threshold
from tests.conftest import assert_mean
from tests.width.drawn import directions, initial_loss, loss_within, well

KAPPAS = np.array([1e-4, 0.03, 0.5, 2.0, 30.0, 1e4])
CASES = {
    "full rank": well(9, seed=1),
    "flat directions": well(13, flat=4, seed=2),
    "many decades": (np.logspace(-7, 5, 25), np.random.default_rng(3).standard_normal(25)),
    "one direction": (np.array([3.0]), np.array([-0.7])),
    "displaced along few": (np.array([4.0, 0.3, 0.0, 11.0]), np.array([0.0, 2.0, 5.0, 0.0])),
}
each_case = pytest.mark.parametrize("case", CASES)


def curve(curvatures, displacement, kappa):
    """(eps, d) at kappa."""
    kh = kappa * curvatures
    return 0.5 * np.sum(curvatures * displacement**2 / (1 + kh)), np.sum(kh / (1 + kh))


def curves(curvatures, displacement, kappas=KAPPAS):
    return np.array([curve(curvatures, displacement, kappa) for kappa in kappas]).T


@each_case
def test_it_is_on_the_parametric_curve(case):
    losses, dims = curves(*CASES[case])
    assert_allclose(quadratic_threshold(*CASES[case], losses), dims, rtol=1e-7)


@each_case
def test_the_loss_is_on_the_parametric_curve(case):
    losses, dims = curves(*CASES[case], KAPPAS[:-1])
    assert_allclose(Well.of(*CASES[case]).loss(dims), losses, rtol=1e-7)


@each_case
def test_loss_and_threshold_are_inverse(case):
    made = Well.of(*CASES[case])
    dims = np.linspace(0, made.rank, 12)[1:-1].reshape(2, 5)
    assert made.loss(dims).shape == dims.shape
    assert_allclose(made.threshold(made.loss(dims)), dims, rtol=1e-8)
    losses = made.start * np.array([0.999, 0.5, 0.02])
    assert_allclose(made.loss(made.threshold(losses)), losses, rtol=1e-8)


@each_case
def test_from_nothing_at_the_start_to_the_rank_at_the_minimum(case):
    curvatures, displacement = CASES[case]
    start, rank = initial_loss(curvatures, displacement), np.count_nonzero(curvatures)
    losses, dims = start * np.array([0.0, 0.5, 1.0, 1.001, 7.0, np.inf]), np.array([0, rank / 2, rank, len(curvatures)])
    found = quadratic_threshold(curvatures, displacement, losses)
    assert_allclose(np.delete(found, 1), [rank, 0, 0, 0, 0], atol=1e-9)
    assert 0 < found[1] < rank
    left = Well.of(curvatures, displacement).loss(dims)
    assert_allclose(np.delete(left, 1), [start, 0, 0], rtol=1e-12, atol=1e-12 * start)


@pytest.mark.parametrize(("loss", "dim"), [(2.5, 0), (40.0, 0), (np.inf, 0), (0.0, 2)])
def test_one_loss_with_nothing_to_solve_for(loss, dim):
    """At the start, above it, at the minimum."""
    assert quadratic_threshold([1.0, 4.0, 0.0], [1.0, 1.0, 3.0], loss) == dim


@pytest.mark.parametrize(("dim", "loss"), [(0, 2.5), (2, 0), (3, 0)])
def test_one_dimension_with_nothing_to_solve_for(dim, loss):
    assert Well.of([1.0, 4.0, 0.0], [1.0, 1.0, 3.0]).loss(dim) == loss


def test_no_losses_have_no_thresholds():
    assert quadratic_threshold([1.0, 4.0], [1.0, 1.0], []).shape == (0,)


def test_a_start_at_the_minimum_takes_no_dimension():
    """Displaced along a flat direction, or not at all."""
    assert_allclose(quadratic_threshold([2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [0.1, 2.0]), 0)
    assert_allclose(quadratic_threshold([2.0, 1.0], [0.0, 0.0], 0.1), 0)


@pytest.mark.parametrize(("dims", "flat"), [(7, 0), (11, 4)])
def test_equal_curvatures_need_their_number_times_the_share_of_the_loss(dims, flat):
    curvatures, displacement = np.full(dims, 2.3), well(dims, seed=4)[1]
    curvatures[:flat] = 0.0
    share = np.array([[0.9, 0.5], [0.1, 1e-3]])
    found = quadratic_threshold(curvatures, displacement, share * initial_loss(curvatures, displacement))
    assert_allclose(found, (dims - flat) * (1 - share), rtol=1e-9)


def test_two_curvatures_displaced_along_the_first():
    """kappa h_1 = L_0/eps - 1."""
    first, second, counts, share = 5.0, 0.4, (3, 8), np.array([0.8, 0.3, 0.01])
    curvatures = np.repeat([first, second], counts)
    displacement = np.r_[0.5, -1.5, 2.0, np.zeros(8)]
    kappa = (1 / share - 1) / first
    expected = 3 * (1 - share) + 8 * kappa * second / (1 + kappa * second)
    found = quadratic_threshold(curvatures, displacement, share * initial_loss(curvatures, displacement))
    assert_allclose(found, expected, rtol=1e-9)


def test_close_to_the_start_it_is_linear():
    """d = kappa tr H where L_0 - eps = kappa/2 |Hu|^2."""
    curvatures, displacement = well(8, flat=2, seed=5)
    drop = 1e-5 * initial_loss(curvatures, displacement)
    expected = 2 * drop * curvatures.sum() / np.sum((curvatures * displacement) ** 2)
    found = quadratic_threshold(curvatures, displacement, initial_loss(curvatures, displacement) - drop)
    assert_allclose(found, expected, rtol=1e-3)


def test_close_to_the_minimum_it_is_linear():
    """rank - d = tr H^-1 / kappa where eps = |u|^2 / (2 kappa), u without its flat part."""
    curvatures, displacement = well(8, flat=2, seed=6)
    curved = curvatures > 0
    missing = 1e-3
    loss = missing * np.sum(displacement[curved] ** 2) / (2 * np.sum(1 / curvatures[curved]))
    assert_allclose(6 - quadratic_threshold(curvatures, displacement, loss), missing, rtol=0.02)


def test_more_loss_takes_fewer_dimensions():
    curvatures, displacement = well(20, flat=3, seed=7)
    losses = np.linspace(0, initial_loss(curvatures, displacement), 300)
    assert np.all(np.diff(quadratic_threshold(curvatures, displacement, losses)) < 0)


def test_flat_directions_and_what_lies_along_them_do_not_matter():
    curvatures, displacement = well(6, seed=8)
    losses = np.array([0.01, 0.3, 1.0])
    with_flat = quadratic_threshold(np.r_[0, curvatures, 0], np.r_[9.0, displacement, -4.0], losses)
    assert_allclose(with_flat, quadratic_threshold(curvatures, displacement, losses), rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 7.0, 1e8])
def test_units_do_not_matter(scale):
    curvatures, displacement = well(9, flat=1, seed=9)
    losses = initial_loss(curvatures, displacement) * np.array([0.7, 0.05, 1e-4])
    expected = quadratic_threshold(curvatures, displacement, losses)
    assert_allclose(quadratic_threshold(scale * curvatures, displacement, scale * losses), expected, rtol=1e-8)
    assert_allclose(quadratic_threshold(curvatures, scale * displacement, scale**2 * losses), expected, rtol=1e-8)


def test_order_and_signs_do_not_matter():
    curvatures, displacement = well(9, flat=1, seed=10)
    order, losses = np.random.default_rng(0).permutation(9), np.array([0.2, 1.0])
    mirrored = quadratic_threshold(curvatures[order], -displacement[order], losses)
    assert_allclose(mirrored, quadratic_threshold(curvatures, displacement, losses), rtol=1e-9)


def test_a_rotated_hessian_is_its_resolvents():
    """eps = 1/2 u^T H (1 + kappa H)^-1 u and d = tr kappa H (1 + kappa H)^-1, with no eigenvector in sight."""
    curvatures, displacement = well(8, seed=11)
    basis = directions(np.random.default_rng(12), 1, 8, 8)[0]
    hessian = (basis * curvatures) @ basis.T
    for kappa in (0.05, 1.0, 40.0):
        shrunk = hessian @ np.linalg.inv(np.eye(8) + kappa * hessian)
        loss, dim = 0.5 * displacement @ shrunk @ displacement, kappa * np.trace(shrunk)
        assert_allclose(quadratic_threshold(curvatures, displacement, loss, basis=basis), dim, rtol=1e-8)
        assert_allclose(Well.of(curvatures, displacement, basis).threshold(loss), dim, rtol=1e-8)


def test_a_well_is_its_measures():
    """Counts of curvatures and squares along others: what lists of them would give."""
    curvatures, counts = np.array([0.0, 0.5, 3.0]), np.array([4.0, 6.0, 2.0])
    along, squares = np.array([3.0, 0.5, 0.0]), np.array([1.5, 0.2, 7.0])
    made = Well(curvatures, counts, along, squares)
    displacement = np.sqrt(np.repeat([7.0, 0.2, 1.5], [4, 6, 2]) / np.repeat([4, 6, 2], [4, 6, 2]))
    listed = Well.of(np.repeat(curvatures, [4, 6, 2]), displacement)
    for one in (made, listed):
        assert_allclose([one.start, one.rank, one.radius], [0.5 * (3.0 * 1.5 + 0.5 * 0.2), 8, np.sqrt(8.7)], rtol=1e-12)
    losses, dims = np.array([0.0, 0.1, 1.0, 2.0]), np.array([0.0, 1.2, 6.5, 7.9])
    assert_allclose(made.threshold(losses), listed.threshold(losses), rtol=1e-9)
    assert_allclose(made.loss(dims), listed.loss(dims), rtol=1e-9)


def test_counts_need_not_be_whole():
    made = Well(np.array([2.0]), np.array([7.5]), np.array([2.0]), np.array([4.0]))
    assert_allclose(made.threshold([1.0, 3.0]), [7.5 * 0.75, 7.5 * 0.25], rtol=1e-9)


def test_measures_may_be_lists_and_a_displacement_may_lie_along_nothing_curved():
    made = Well([2, 0], [3, 4], [0], [5])
    assert (made.start, made.rank, made.radius) == (0, 3, np.sqrt(5))
    assert made.threshold(0.1) == 0


@pytest.mark.parametrize("dim", [6, 30, 75])
def test_subspaces_drawn_at_random_reach_the_loss_at_it(dim):
    """The thresholds of the losses that subspaces of d directions reach average to d, but for finite sizes."""
    curvatures, displacement = well(100, flat=10, seed=13, spread=1.0)
    drawn = directions(np.random.default_rng(dim), 160, 100, dim)
    losses = np.array([loss_within(curvatures, displacement, columns) for columns in drawn])
    assert_mean(quadratic_threshold(curvatures, displacement, losses), dim, rejects=dim + 4, bias=1.0)
    assert quadratic_threshold(curvatures, displacement, losses.mean() * np.array([0.5, 2]))[1] < dim - 4
