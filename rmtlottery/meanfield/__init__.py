"""Mean-field theory of wide random networks: arrays in, arrays out."""

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.fixed_points import FixedPoint, critical_sigma_w, fixed_point
from rmtlottery.meanfield.gaussian import gaussian_mean
from rmtlottery.meanfield.maps import correlation_map, length_map, trajectory

__all__ = [
    "Activation",
    "FixedPoint",
    "activation",
    "correlation_map",
    "critical_sigma_w",
    "fixed_point",
    "gaussian_mean",
    "length_map",
    "trajectory",
]
