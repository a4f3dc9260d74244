"""Is a heavy tail read in this spectrum? Not by its exponent alone: every spectrum gets one, a random layer's too.

Fitted to redraws of a layer alpha spans 3 to 12 where the layer is dense and falls to 3 in sparse masks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.spectra.power_law import alphas, fit_power_law
from rmtlottery.spectra.spikes import ROUNDING, null_shares, spectrum

PLAUSIBLE = 0.1
LEAST = 3
CENTRAL = (0.01, 0.5, 0.99)


class Tail(NamedTuple):
    """A power law p(x) ~ x^-alpha fitted from `xmin` on, with its p-value, beside alphas of redraws fitted alike.

    null_alpha is their median, null_low and null_high bound their central 98 %; `beyond` counts the layer's eigenvalues
    whose share of the sum is larger than any of any redraw's.
    """

    alpha: float
    p_value: float
    xmin: float
    null_alpha: float
    null_low: float
    null_high: float
    beyond: int
    heavy: bool


def read_tail(eigenvalues: ArrayLike, null_spectra: ArrayLike, *, bootstraps: int = 100, seed: int = 0) -> Tail:
    """`heavy` only if the fit is plausible, alpha is below all redraws', and the tail holds 3 eigenvalues beyond them all.

    p >= .1 is plausible [Clauset, Shalizi, Newman 2009, section 4.1]: one true power law in ten is given up. If layer and R
    redraws exchange, alpha is below all with a chance of 1/(R + 1), and so is one eigenvalue beyond all.
    """
    values, largest = spectrum(eigenvalues), null_shares(null_spectra, eigenvalues).max()
    fit, null = fit_power_law(values, bootstraps=bootstraps, seed=seed), alphas(null_spectra)
    beyond = values[values * (1 - ROUNDING) > largest * values.sum()]
    low, middle, high = (float(value) for value in np.quantile(null, CENTRAL))
    apart = len(beyond) >= LEAST and bool(fit.xmin <= beyond.min())
    heavy = apart and fit.p_value >= PLAUSIBLE and bool(fit.alpha < null.min())
    return Tail(fit.alpha, fit.p_value, fit.xmin, middle, low, high, len(beyond), heavy)
