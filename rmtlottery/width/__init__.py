"""Gaussian widths, and when a random subspace meets a sublevel set: arrays in, arrays out.

`quadratic_threshold` and `ball_hit_probability` are sharp; D - w^2 by `gordon_bound` is necessary in general, and sharp for
convex sublevel sets; `larsen_bound` is an upper bound for quadratic wells.
"""

from rmtlottery.width.ball import ball_hit_probability
from rmtlottery.width.bodies import Ball, Body, Ellipsoid, Points
from rmtlottery.width.cones import Cone, Descent, Elliptic, Orthant, Section, Subspace
from rmtlottery.width.gaussian_width import Estimate, distance_to, ellipsoid_width, gaussian_width, statistical_dimension
from rmtlottery.width.gordon import gordon_bound, gordon_bound_of_1988, mean_length
from rmtlottery.width.larsen import larsen_bound
from rmtlottery.width.overlap import interference, largest_shared, path_cosine, shared_energy
from rmtlottery.width.quadratic import Well, quadratic_threshold
from rmtlottery.width.seen import SeenBall, SeenPoints
from rmtlottery.width.simulated import hitting_dimensions, least_losses, nested_losses

__all__ = [
    "Ball",
    "Body",
    "Cone",
    "Descent",
    "Ellipsoid",
    "Elliptic",
    "Estimate",
    "Orthant",
    "Points",
    "Section",
    "SeenBall",
    "SeenPoints",
    "Subspace",
    "Well",
    "ball_hit_probability",
    "distance_to",
    "ellipsoid_width",
    "gaussian_width",
    "gordon_bound",
    "gordon_bound_of_1988",
    "hitting_dimensions",
    "interference",
    "largest_shared",
    "larsen_bound",
    "least_losses",
    "mean_length",
    "nested_losses",
    "path_cosine",
    "quadratic_threshold",
    "shared_energy",
    "statistical_dimension",
]
