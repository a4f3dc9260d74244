"""Eigenvalues beyond what chance gives: against redraws of the layer in its mask, or Tracy-Widom where that may be trusted.

Eigenvalues are those of W W^T on the short side, zeros included, and W, of shape (m, n), is *not* divided by sqrt(n).
"""

from dataclasses import dataclass
from functools import cache
from math import ceil, floor

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.special import chdtri

from rmtlottery.meanfield.gaussian import Array, lengths
from rmtlottery.spectra.nulls import gram_spectrum, layer, null_spectra
from rmtlottery.spectra.tracy_widom import TracyWidom, johnstone

ROUNDING = 1e-10
SHIFT = 0.1
UNEQUAL = 1e-3
SMALLEST = 32


@dataclass(frozen=True)
class Spikes:
    """The eigenvalues above `edge`: `count` > 0 just where p_value, that of the largest alone, is at most the level.

    The edge is a share of the sum of all eigenvalues: spikes of a share s in it raise the edge by 1 / (1 - s), so that
    `count` errs to the small side.
    """

    count: int
    p_value: float
    edge: float
    test: str


def spikes(
    weight: ArrayLike,
    mask: ArrayLike,
    *,
    kind: str = "signs",
    redraws: int = 99,
    numbers: Generator | int = 0,
    level: float = 0.01,
) -> Spikes:
    """By Tracy-Widom where it holds; elsewhere by `redraws` of the null `kind`, a key of `nulls.NULLS`.

    Signs are the default because which test is taken depends on magnitudes alone: given these, the null stays exact.
    """
    weight, mask = layer(weight, mask)
    held = np.where(mask, weight, 0.0)
    if tracy_widom_holds(held):
        return spikes_by_tracy_widom(gram_spectrum(held), held.shape, level)
    return spikes_by_null(gram_spectrum(held), null_spectra(weight, mask, kind, redraws, numbers), level)


def spikes_by_null(eigenvalues: ArrayLike, null_spectra: ArrayLike, level: float = 0.01) -> Spikes:
    """Monte Carlo test of lambda_max / sum: p = (1 + #{redraws as large}) / (1 + R), exact if layer and redraws exchange.

    The edge is the floor(level (R + 1))-th largest share of the redraws: at level .01 the largest of all, if R = 99.
    """
    values, shares = spectrum(eigenvalues), null_shares(null_spectra, eigenvalues)
    rank = allowed(level, len(shares))
    observed = values.max() / values.sum() * (1 - ROUNDING)  # a layer that equals its redraws ties with them
    edge = float(np.sort(shares)[-rank] / (1 - ROUNDING) * values.sum())
    p_value = float(1 + np.count_nonzero(shares >= observed)) / (1 + len(shares))
    return Spikes(above(values, edge), p_value, edge, "redraws")


def spikes_by_tracy_widom(eigenvalues: ArrayLike, shape: tuple[int, int], level: float = 0.01) -> Spikes:
    """Johnstone's scaling [Johnstone 2001] and F1, for real independent entries of the variance sum / (m n).

    The sum's own fluctuation narrows lambda_max / sum by a few percent [Nadler 2011]: an alarm is rarer than `level`.
    """
    values = spectrum(eigenvalues)
    short, long = sorted(shape)
    if len(values) != short:
        raise ValueError(f"{len(values)} eigenvalues are not the {short} of the short side of {shape}: give zeros as well")
    (centre, scale), variance = johnstone(short, long), values.sum() / (short * long)
    p_value = 1 - float(TracyWidom(1).cdf((values.max() / variance - centre) / scale))
    edge = float(variance * (centre + scale * exceeded_with(fraction(level))))
    return Spikes(above(values, edge), p_value, edge, "tracy-widom")


@cache
def exceeded_with(level: float) -> float:
    return float(TracyWidom(1).ppf(1 - level))


def above(values: Array, edge: float) -> int:
    return int(np.count_nonzero(values > edge))


def tracy_widom_holds(weight: ArrayLike) -> bool:
    """Whether F1 is a bar for this layer, 0 where it is masked, on which independent entries of one law seldom alarm.

    Not where their fourth cumulant lifts the largest eigenvalue by more than a tenth of its scale, where sums of squares of
    rows or columns (degrees, if values are of one size) are unequal beyond chance, or where a side is below 32.
    Measured on random layers, 64 x 192 to 512 x 512: at level .01 F1 alarms on .7 % at a lift of 0, 1.0 % at .07, 1.2 % at
    .2, 3 % at .75 (256 x 256, Gaussian, density .5), 38 % at 3 (density .2), 97 % at 7 (density .1). A negative lift, as
    of values of one size, is let in: alarms are then rarer (.4 % at -.4), and power is less.
    """
    squares = np.asarray(weight, float) ** 2
    return tracy_widom_allowed(squares.sum(1), squares.sum(0), np.sum(squares**2))


def tracy_widom_allowed(rows: ArrayLike, columns: ArrayLike, fourth: float) -> bool:
    """The same by the sums of squares of each row and of each column, and the sum of fourth powers."""
    rows, columns = np.asarray(rows, float), np.asarray(columns, float)
    if min(rows.size, columns.size) < SMALLEST or not rows.any():
        return False
    mean, size = rows.sum() / rows.size / columns.size, rows.size * columns.size
    variance = max(fourth / size - mean**2, 0.0)
    chance = all(scatters_by_chance(sums, variance * size / sums.size) for sums in (rows, columns))
    return chance and centre_shift((rows.size, columns.size), fourth / size / mean**2) <= SHIFT


def centre_shift(shape: tuple[int, int], kurtosis: float) -> float:
    """How far the entries' fourth cumulant moves lambda_max, to first order, in units of Johnstone's scale (derived here).

    `kurtosis` is E x^4 / (E x^2)^2, zeros included; e is 3 less. Sums of squares of rows vary by e/n beyond a Gaussian's,
    those of columns by e/m. Averaged over that, the cavity equations of (W W^T - z)^-1 read
    z t = (1 + t + e t^2/n) (1 + g t + g e t^2/n), g = m/n, W/sqrt(n) being meant; at the edge, t = 1/sqrt(g), z is larger
    by a part e/sqrt(m n). A sparse layer's edge is known to move so [Hwang, Lee, Schnelli 2019]. Measured at 256 x 256: .70
    for .75, 2.9 for 3.0, 6.7 for 6.7.
    """
    centre, scale = johnstone(*sorted(shape))
    return float((kurtosis - 3) / np.sqrt(shape[0] * shape[1]) * centre / scale)


def scatters_by_chance(sums: Array, variance: float) -> bool:
    """Sums of that variance each no more unequal than all but one in a thousand of independent entries would make them."""
    expected = variance * chdtri(len(sums) - 1, UNEQUAL)
    return bool(np.sum((sums - sums.mean()) ** 2) <= expected + ROUNDING * sums.mean() ** 2)


def null_shares(null_spectra: ArrayLike, eigenvalues: ArrayLike) -> Array:
    """lambda_max / sum of each redraw."""
    spectra = lengths(null_spectra, "a redraw's eigenvalue")
    if spectra.ndim != 2 or spectra.shape[1:] != np.shape(eigenvalues) or not len(spectra):
        raise ValueError(f"redraws {spectra.shape} do not go with {np.size(eigenvalues)} eigenvalues: give a row of as many")
    if not spectra.any(axis=1).all():
        raise ValueError(f"{np.sum(~spectra.any(axis=1))} redraws have no eigenvalue above 0: take those of this layer")
    return spectra.max(axis=1) / spectra.sum(axis=1)


def spectrum(eigenvalues: ArrayLike) -> Array:
    values = lengths(eigenvalues, "an eigenvalue")
    if values.ndim != 1 or not values.any():
        raise ValueError(f"eigenvalues {values.shape} are no spectrum: a list of them, not all 0, is needed")
    return values


def allowed(level: float, redraws: int) -> int:
    """How many of layer and redraws together may be the largest at this level."""
    rank = floor(fraction(level) * (redraws + 1) + ROUNDING)
    if rank < 1:
        raise ValueError(f"{redraws} redraws cannot reach level {level:g}: make at least {ceil(1 / level - ROUNDING) - 1}")
    return rank


def fraction(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level = {level} is not between 0 and 1")
    return level
