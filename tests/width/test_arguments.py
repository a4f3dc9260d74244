"""What the public functions may not be asked, and that they say why."""

import numpy as np
import pytest

from rmtlottery.width import (
    Ball,
    Descent,
    Ellipsoid,
    Elliptic,
    Orthant,
    Points,
    Subspace,
    Well,
    ball_hit_probability,
    distance_to,
    ellipsoid_width,
    gaussian_width,
    gordon_bound,
    gordon_bound_of_1988,
    hitting_dimensions,
    larsen_bound,
    least_losses,
    mean_length,
    quadratic_threshold,
    statistical_dimension,
)

NAN, INF = np.nan, np.inf
WELL = np.array([1.0, 2.0, 0.5])
AWAY = np.array([1.0, -1.0, 2.0])


def rng():
    return np.random.default_rng(0)


ASKED = {
    "threshold": lambda curvatures: quadratic_threshold(curvatures, np.ones(len(curvatures)), 0.1),
    "well": lambda curvatures: Well.of(curvatures, np.ones(len(curvatures))),
    "measures": lambda curvatures: Well(curvatures, np.ones(len(curvatures)), WELL, AWAY**2),
    "larsen": lambda curvatures: larsen_bound(curvatures, 1.0, 0.1),
    "losses": lambda curvatures: least_losses(curvatures, np.ones(len(curvatures)), 3, rng()),
    "descent": lambda curvatures: Descent(np.array(curvatures), np.ones(len(curvatures)), 0.1),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    ("curvatures", "words"),
    [
        ([1.0, -2.0, 3.0, -0.1], "2 of 4 curvatures are negative, the lowest -2"),
        ([1.0, 2.0, 3.0, -1e-9], "1 of 4 curvatures are negative, the lowest -1e-09"),
        ([0.0, 0.0, 0.0], "all 3 curvatures are 0"),
        ([], "curvatures are 0"),
        ([1.0, NAN, 3.0], "1 of 3 curvatures are not finite"),
        ([1.0, INF, -INF], "2 of 3 curvatures are not finite"),
    ],
)
def test_curvatures_of_no_well(asked, curvatures, words):
    with pytest.raises(ValueError, match=words):
        ASKED[asked](curvatures)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"counts": [1.0, 2.0]}, r"counts of shape \(2,\) are not one for each of 3 curvatures"),
        ({"counts": [[1.0, 2.0, 1.0]]}, r"counts of shape \(1, 3\) are not one for each of 3 curvatures"),
        ({"counts": [1.0, -2.0, NAN]}, "2 of 3 counts are negative or not finite, the first -2"),
        ({"squares": [1.0, 2.0]}, r"squares of shape \(2,\) are not one for each of 3 curvatures"),
        ({"squares": [1.0, 2.0, -3e-9]}, "1 of 3 squares are negative or not finite, the first -3e-09"),
        ({"squares": [INF, 2.0, 3.0]}, "1 of 3 squares are negative or not finite, the first inf"),
        ({"along": [1.0, 2.0, -0.5]}, "1 of 3 curvatures along the displacement are negative, the lowest -0.5"),
        ({"along": [1.0, NAN, 0.5]}, "1 of 3 curvatures along the displacement are not finite"),
    ],
)
def test_measures_of_no_well(changed, words):
    held = {"curvatures": WELL, "counts": np.ones(3), "along": WELL, "squares": AWAY**2}
    with pytest.raises(ValueError, match=words):
        Well(**held | changed)


DISPLACED = {
    "threshold": lambda displacement: quadratic_threshold(WELL, displacement, 0.1),
    "well": lambda displacement: Well.of(WELL, displacement),
    "losses": lambda displacement: least_losses(WELL, displacement, 3, rng()),
    "descent": lambda displacement: Descent(WELL, np.array(displacement), 0.1),
}


@pytest.mark.parametrize("asked", DISPLACED)
@pytest.mark.parametrize("displacement", [[1, 2], [1, 2, 3, 4], [[1, 2, 3]], 1.0, [1, NAN, 2], [1, INF, 2]], ids=str)
def test_displacements_that_do_not_fit(asked, displacement):
    with pytest.raises(ValueError, match="displacement of shape"):
        DISPLACED[asked](displacement)


@pytest.mark.parametrize("basis", [np.eye(2), np.eye(3)[:2], np.ones(3)])
def test_a_basis_that_does_not_fit(basis):
    with pytest.raises(ValueError, match="basis"):
        quadratic_threshold(WELL, AWAY, 0.1, basis=basis)


LOSSES = {
    "threshold": lambda loss: quadratic_threshold(WELL, AWAY, loss),
    "well": lambda loss: Well.of(WELL, AWAY).threshold(loss),
    "larsen": lambda loss: larsen_bound(WELL, 1.0, loss),
    "hits": lambda loss: hitting_dimensions(np.array([[3.0, 1.0, 0.0]]), loss),
}


@pytest.mark.parametrize("asked", LOSSES)
@pytest.mark.parametrize(("loss", "said"), [(-0.1, "-0.1"), ([0.2, -1e-9], "-1e-09"), (NAN, "nan"), ([[0.2], [NAN]], "nan")])
def test_losses_below_the_minimum(asked, loss, said):
    with pytest.raises(ValueError, match=f"loss = {said} is below the minimum of the well, 0"):
        LOSSES[asked](loss)


@pytest.mark.parametrize("loss", [-0.1, 0.0, NAN, 2.5, 4.0, INF])
def test_no_cone_leads_down_to_such_a_loss(loss):
    """From within the sublevel set every direction leads there."""
    with pytest.raises(ValueError, match=f"loss = {loss:g} is not within 0 and the initial 2.5"):
        Descent(WELL, AWAY, loss)


@pytest.mark.parametrize(("dim", "said"), [(4, "4"), (-1, "-1"), (NAN, "nan"), ([1.0, 3.01], "3.01")])
def test_dimensions_that_a_well_does_not_have(dim, said):
    with pytest.raises(ValueError, match=f"dim = {said} is not within 0 and the 3 dimensions of the well"):
        Well.of(WELL, AWAY).loss(dim)


@pytest.mark.parametrize(("radius", "said"), [(-1.0, "-1"), (NAN, "nan"), ([1.0, -0.5], "-0.5")])
def test_larsens_radius(radius, said):
    with pytest.raises(ValueError, match=f"radius = {said} is not 0 or more"):
        larsen_bound(WELL, radius, 0.1)


@pytest.mark.parametrize("counts", [[1.0], [1.0, 2.0, 3.0, 4.0], [1.0, -1.0, 2.0], [1.0, NAN, 2.0]])
def test_larsens_counts(counts):
    with pytest.raises(ValueError, match="counts"):
        larsen_bound(WELL, 1.0, 0.1, counts=counts)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((8, 7, 1, 2), "dim = 8 is more than ambient = 7"),
        (([3, 6], [7, 5], 1, 2), "dim = 6 is more than ambient = 5"),
        ((-1, 7, 1, 2), "dim = -1 is not 0 or more"),
        ((NAN, 7, 1, 2), "dim = nan is not 0 or more"),
        ((0, 0, 1, 2), "ambient = 0 is not 1 or more"),
        ((2, 7, -1, 2), "radius = -1 is not 0 or more"),
        ((2, 7, NAN, 2), "radius = nan is not 0 or more"),
        ((2, 7, 1, -2), "distance = -2 is not 0 or more"),
        ((2, 7, 1, [3, NAN]), "distance = nan is not 0 or more"),
    ],
)
def test_balls_that_are_none(asked, words):
    with pytest.raises(ValueError, match=words):
        ball_hit_probability(*asked)


@pytest.mark.parametrize(("k", "said"), [(-1, "-1"), (NAN, "nan"), ([3, -2], "-2")])
def test_vectors_of_no_length(k, said):
    for asked in (mean_length, lambda k: gordon_bound(k, 1.0), lambda k: gordon_bound_of_1988(k, 1.0)):
        with pytest.raises(ValueError, match=f"= {said} is not 0 or more"):
            asked(k)


@pytest.mark.parametrize("bound", [gordon_bound, gordon_bound_of_1988])
def test_a_width_that_is_nan_bounds_nothing(bound):
    with pytest.raises(ValueError, match="width = nan"):
        bound(3, [1.0, NAN])


@pytest.mark.parametrize("dim", [4, -1])
def test_subspaces_that_do_not_fit(dim):
    with pytest.raises(ValueError, match=f"dim = {dim} is not within 0 and the ambient 3"):
        Subspace(dim, 3)


@pytest.mark.parametrize("steepness", [[1.0, -1.0], [NAN, 1.0], [INF]])
def test_a_steepness_of_no_cone(steepness):
    with pytest.raises(ValueError, match="a steepness of a cone is a finite number that is not negative"):
        Elliptic(np.array(steepness))


@pytest.mark.parametrize("axes", [[1.0, -1.0], [NAN, 1.0]])
def test_axes_of_no_ellipsoid(axes):
    with pytest.raises(ValueError, match=r"axes = .* is not 0 or more"):
        ellipsoid_width(axes)
    with pytest.raises(ValueError, match=r"axes = .* is not 0 or more"):
        Ellipsoid(np.array(axes))


@pytest.mark.parametrize("radius", [-1.0, NAN])
def test_a_radius_of_no_ball(radius):
    with pytest.raises(ValueError, match=f"radius = {radius:g} is not 0 or more"):
        Ball(3, radius)


@pytest.mark.parametrize("places", [np.ones(3), np.ones((0, 3)), np.array([[1.0, NAN]])])
def test_points_that_are_no_table(places):
    with pytest.raises(ValueError, match="points"):
        Points(places)


@pytest.mark.parametrize("samples", [-1, 0, 1])
def test_too_few_samples_for_a_standard_error(samples):
    for asked, of in ((gaussian_width, Ball(3)), (distance_to, Orthant(3)), (statistical_dimension, Orthant(3))):
        with pytest.raises(ValueError, match=f"samples = {samples}: a standard error takes two or more"):
            asked(of, samples, rng())


def test_losses_without_draws():
    with pytest.raises(ValueError, match="losses"):
        hitting_dimensions(np.array([3.0, 1.0, 0.0]), 0.5)
