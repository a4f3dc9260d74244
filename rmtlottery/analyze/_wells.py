"""The quadratic well that a few products with a Hessian tell of, and how well they tell its thresholds."""

import numpy as np

from rmtlottery.measure.hessian import Spectra
from rmtlottery.measure.lanczos import Rule
from rmtlottery.width import Well, larsen_bound

LEAST = 1e-10  # of the largest curvature, below which a node is flat


def by_displacement(found: Spectra) -> Well:
    """The measures of H, and of w_0 - w* in it. What is curved downwards counts as flat."""
    return well(found.probes, found.ambient, found.along[0], found.along[1] * found.squared)


def by_gradient(found: Spectra) -> Well:
    """The same from the gradient g = H (w_0 - w*) at w_0, where the loss is quadratic and w* is not known.

    Gauss rules for 1/h and 1/h^2 are lower bounds: what lies along the least curvatures is missed, of the depth of the well
    little, of |w_0 - w*|, and so of Larsen's bound, more.
    """
    nodes, shares = found.along
    curved = nodes > LEAST * nodes.max()
    return well(found.probes, found.ambient, nodes[curved], shares[curved] * found.squared / nodes[curved] ** 2)


def well(probes: list[Rule], ambient: int, along: np.ndarray, squares: np.ndarray) -> Well:
    nodes, shares = (np.concatenate(parts) for parts in zip(*probes, strict=True))
    largest = nodes.max()
    flat, level = (np.where(held > LEAST * largest, held, 0.0) for held in (nodes, along))
    return Well(flat, shares * ambient / len(probes), level, squares)


def error(found: Spectra, pooled: Well, loss: np.ndarray) -> np.ndarray:
    """The standard error of the threshold over probes of the spectrum."""
    if len(found.probes) < 2:
        return np.full(len(loss), np.nan)
    each = [well([rule], found.ambient, pooled.along, pooled.squares).threshold(loss) for rule in found.probes]
    return np.asarray(np.std(each, axis=0, ddof=1) / len(each) ** 0.5)


def bound(held: Well, loss: np.ndarray) -> np.ndarray:
    """Larsen's, which knows of the displacement how long it is."""
    return np.asarray(larsen_bound(held.curvatures, held.radius, loss, counts=held.counts))
