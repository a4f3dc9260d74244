"""Random matrices: laws of spectra, and what tells a given spectrum from chance: arrays in, arrays out."""

from rmtlottery.spectra.bimodality import kurtosis, sarle
from rmtlottery.spectra.conv import conv_norm_bounds, conv_singular_values, slices, unfolded
from rmtlottery.spectra.dip import Dip, dip
from rmtlottery.spectra.distance import ks_distance
from rmtlottery.spectra.factors import Factor, gaussian, orthogonal
from rmtlottery.spectra.free_product import FreeProduct
from rmtlottery.spectra.fuss_catalan import FussCatalan
from rmtlottery.spectra.jacobian import JacobianLaw, sparse_excess
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.marchenko_pastur_fit import MarchenkoPasturFit, fit_marchenko_pastur
from rmtlottery.spectra.masked_products import masked_moments
from rmtlottery.spectra.nulls import NULLS, null_spectra, redraw
from rmtlottery.spectra.power_law import PowerLaw, fit_power_law
from rmtlottery.spectra.shape import Shape, shape_of
from rmtlottery.spectra.spikes import Spikes, spikes, spikes_by_null, spikes_by_tracy_widom, tracy_widom_holds
from rmtlottery.spectra.tails import Tail, read_tail
from rmtlottery.spectra.tracy_widom import TracyWidom, johnstone
from rmtlottery.spectra.two_gaussians import two_gaussians
from rmtlottery.spectra.variance_profile import VarianceProfile

__all__ = [
    "NULLS",
    "Dip",
    "Factor",
    "FreeProduct",
    "FussCatalan",
    "JacobianLaw",
    "MarchenkoPastur",
    "MarchenkoPasturFit",
    "PowerLaw",
    "Shape",
    "Spikes",
    "Tail",
    "TracyWidom",
    "VarianceProfile",
    "conv_norm_bounds",
    "conv_singular_values",
    "dip",
    "fit_marchenko_pastur",
    "fit_power_law",
    "gaussian",
    "johnstone",
    "ks_distance",
    "kurtosis",
    "masked_moments",
    "null_spectra",
    "orthogonal",
    "read_tail",
    "redraw",
    "sarle",
    "shape_of",
    "slices",
    "sparse_excess",
    "spikes",
    "spikes_by_null",
    "spikes_by_tracy_widom",
    "tracy_widom_holds",
    "two_gaussians",
    "unfolded",
]
