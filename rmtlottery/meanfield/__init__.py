"""Mean-field theory of wide random networks: arrays in, arrays out."""

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.conv import (
    conv_chi,
    conv_length_map,
    conv_trajectory,
    delta_kernel,
    fourier_modes,
    mode_depth_scale,
    window_mean,
)
from rmtlottery.meanfield.critical import CriticalLine, critical_line, critical_sigma_w
from rmtlottery.meanfield.density_evolution import Evolution, evolve_density, gaussian_closure
from rmtlottery.meanfield.finite_width import length_shift, length_variance
from rmtlottery.meanfield.fixed_points import FixedPoint, fixed_point
from rmtlottery.meanfield.gaussian import gaussian_mean
from rmtlottery.meanfield.in_degree import (
    SparseLayer,
    edgeworth_length_map,
    excess_kurtosis,
    quenched_kurtosis,
    sparse_length_map,
)
from rmtlottery.meanfield.maps import correlation_map, correlation_trajectory, covariance_map, length_map, trajectory
from rmtlottery.meanfield.mixture import Mixture, mixture_course, mixture_of
from rmtlottery.meanfield.pairs import gaussian_pair_mean
from rmtlottery.meanfield.profile import Passed, mean_profile_map, profile_map, row_map
from rmtlottery.meanfield.quenched import (
    Quenched,
    Step,
    Units,
    forget_columns,
    forget_means,
    forget_nothing,
    quenched_course,
)
from rmtlottery.meanfield.residual import (
    residual_chi,
    residual_correlation_map,
    residual_covariance_map,
    residual_map,
    residual_trajectory,
)
from rmtlottery.meanfield.shifted import shifted_coefficients, shifted_mean, shifted_means
from rmtlottery.meanfield.sparse import (
    critical_gain,
    magnitude_threshold,
    magnitude_variance,
    survivor_growth,
    survivor_kurtosis,
)
from rmtlottery.meanfield.weight_law import Shared, empirical_length_map, mean_length_map

__all__ = [
    "Activation",
    "CriticalLine",
    "Evolution",
    "FixedPoint",
    "Mixture",
    "Passed",
    "Quenched",
    "Shared",
    "SparseLayer",
    "Step",
    "Units",
    "activation",
    "conv_chi",
    "conv_length_map",
    "conv_trajectory",
    "correlation_map",
    "correlation_trajectory",
    "covariance_map",
    "critical_gain",
    "critical_line",
    "critical_sigma_w",
    "delta_kernel",
    "edgeworth_length_map",
    "empirical_length_map",
    "evolve_density",
    "excess_kurtosis",
    "fixed_point",
    "forget_columns",
    "forget_means",
    "forget_nothing",
    "fourier_modes",
    "gaussian_closure",
    "gaussian_mean",
    "gaussian_pair_mean",
    "length_map",
    "length_shift",
    "length_variance",
    "magnitude_threshold",
    "magnitude_variance",
    "mean_length_map",
    "mean_profile_map",
    "mixture_course",
    "mixture_of",
    "mode_depth_scale",
    "profile_map",
    "quenched_course",
    "quenched_kurtosis",
    "residual_chi",
    "residual_correlation_map",
    "residual_covariance_map",
    "residual_map",
    "residual_trajectory",
    "row_map",
    "shifted_coefficients",
    "shifted_mean",
    "shifted_means",
    "sparse_length_map",
    "survivor_growth",
    "survivor_kurtosis",
    "trajectory",
    "window_mean",
]
