"""The law of a layer's squared gains phi'(sqrt(q) z)^2, z ~ N(0, 1), as nodes and weights of integrals over it.

Between two turns of phi'^2 (extrema, kinks) it is monotone; there Gauss-Legendre panels, four times shorter at each step
towards a turn, resolve E[x/(y - x)] for a real y above the largest x: to 1e-12 from 1e-2 above, to 1e-10 at 1e-6 above,
where it is the rounding of x. A stretch where phi' is constant is a point mass.

For a complex y near the real axis the pole at x = y must not come near the nodes. phi' is analytic on a stretch, so h may
leave the real line to the side where x = phi'(h)^2 gets a negative imaginary part; for Im y >= 0 no pole is passed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from rmtlottery.meanfield.activations import Activation
from rmtlottery.meanfield.gaussian import Array, legendre

Complex = NDArray[Any]  # or real, where there is nothing to go around
REACH = 8.3  # standard deviations: 1e-16 of the mass is beyond
NODES = 16
LEVELS = 9  # the last panel at a turn is 4^-9 of the stretch
SPREAD = 3.0  # over one panel log x varies by no more: with this tilt the path aside is right to 1e-9, up to q = 3000
TILT = 0.8  # how far a vertex leaves the real line, of half a panel
FLOOR = 1e-290  # what a smooth phi' leaves below is no atom at 0


@dataclass(frozen=True, eq=False)
class Law:
    """Positive values of x with weights, whose sum is `rank`: what is missing to the dimension is at 0.

    `below` and `below_weights` are for integrands analytic in x below the real line, as 1/(y - x) with Im y >= 0.
    `top` is the largest x, of which `top_weight` is an atom.
    """

    x: Array
    weights: Array
    below: Complex
    below_weights: Complex
    top: float
    top_weight: float
    rank: float

    def times(self, dimension: float) -> "Law":
        """The same for that many directions."""
        scaled = {name: getattr(self, name) * dimension for name in ("weights", "below_weights", "top_weight", "rank")}
        return replace(self, **scaled)


def discrete(values: Array, weights: Array) -> Law:
    """Point masses; equal values are one."""
    x, place = np.unique(values[values > 0], return_inverse=True)
    merged: Array = np.bincount(place, weights[values > 0], len(x)).astype(float)
    top, top_weight = (float(x[-1]), float(merged[-1])) if x.size else (0.0, 0.0)
    return Law(x, merged, x, merged, top, top_weight, float(merged.sum()))


@lru_cache(maxsize=64)
def gain_law(act: Activation, q: float) -> Law:
    """Of phi'(sqrt(q) z)^2. A phi that is no more than piecewise smooth has its kinks at 0 and at `act.edges`."""
    if q == 0 and not act.homogeneous:
        return discrete(act.slope(np.zeros(1)) ** 2, np.ones(1))
    root = np.sqrt(q if q > 0 else 1.0)
    turns = turning_points(act, REACH * root)
    turns = turns[turns >= 0] if act.odd else turns
    flat, bent = [], []
    for stretch in pairwise(turns):
        ends = graded(stretch, REACH * root)
        inside = act.slope((ends[1:] + ends[:-1]) / 2)
        if np.ptp(inside) == 0:
            flat.append((inside[0] ** 2, mass(stretch, root)))
        else:
            bent.append(nodes(act.slope, ends, root))
    law = joined(discrete(*np.array(flat or [(0.0, 0.0)]).T), bent, float(np.max(act.slope(turns) ** 2)))
    return law.times(2.0) if act.odd else law


def joined(points: Law, bent: list[tuple[Array, Array, Complex, Complex]], highest: float) -> Law:
    if not bent:
        return points
    masses = (points.x, points.weights, points.below, points.below_weights)
    x, weights, below, below_weights = (np.concatenate(part) for part in zip(masses, *bent, strict=True))
    top, rank = max(highest, float(x.max())), float(weights.sum())
    whole = round(2 * rank) / 2  # all, or the half of an odd phi, but for rounding
    rank = whole if abs(rank - whole) < 1e-13 else rank
    return Law(x, weights, below, below_weights, top, points.top_weight if points.top == top else 0.0, rank)


def mass(stretch: tuple[float, float], root: float) -> float:
    """P(a < h < b), whose ends at the reach are as good as infinite."""
    a, b = (np.sign(end) * np.inf if abs(end) >= REACH * root else end / root for end in stretch)
    return float(ndtr(b) - ndtr(a)) if a < 0 else float(ndtr(-a) - ndtr(-b))


def turning_points(act: Activation, reach: float) -> Array:
    """-reach, reach, and between them 0, the kinks, and where phi'^2 has an extremum."""
    t = np.linspace(-1, 1, 4001) * np.arcsinh(reach / 0.05)
    h = 0.05 * np.sinh(t)
    x = act.slope(h) ** 2
    steps = np.diff(x)
    moving = np.flatnonzero(np.abs(steps) > 1e-12 * x.max())
    turned = np.flatnonzero(np.diff(np.sign(steps[moving])))
    found = [extremum(act.slope, h[moving[i]], h[moving[i + 1] + 1], steps[moving[i]] > 0) for i in turned]
    kinks = [0.0, *(edge for edge in act.edges if abs(edge) < reach)]
    found = [place for place in found if min(abs(place - kink) for kink in kinks) > 1e-6 * reach]
    return np.sort([-reach, reach, *kinks, *found])


def extremum(slope: Callable[[Array], Array], low: float, high: float, maximum: bool) -> float:
    sign = -1.0 if maximum else 1.0
    found = minimize_scalar(
        lambda h: sign * float(slope(np.array(h))) ** 2, bounds=(low, high), method="bounded", options={"xatol": 1e-10}
    )
    return float(found.x)


def nodes(slope: Callable[[Array], Array], ends: Array, root: float) -> tuple[Array, Array, Complex, Complex]:
    """x and its weights on the real line, and on a path aside."""
    ends = panels(slope, ends, root)
    t, w = legendre(NODES)
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    h = middle[:, None] + half[:, None] * t
    values = slope(h)
    rising = values[-1, -1] ** 2 > values[0, 0] ** 2
    real = half[:, None] * w * np.exp(-((h / root) ** 2) / 2) / np.sqrt(2 * np.pi) / root
    series = np.linalg.solve(np.polynomial.legendre.legvander(t, NODES - 1), values.T)
    below, aside, speed = path(series, half, -1.0 if rising else 1.0)
    moved = middle[:, None] + half[:, None] * aside
    weights = half[:, None] * w * speed * np.exp(-((moved / root) ** 2) / 2) / np.sqrt(2 * np.pi) / root
    return np.maximum(values**2, FLOOR).ravel(), real.ravel(), below.ravel(), weights.ravel()


def graded(stretch: tuple[float, float], reach: float) -> Array:
    """Ends of panels that shrink towards both ends of a stretch, or only to the one that is a turn."""
    a, b = stretch
    part = np.append(0.0, 4.0 ** -np.arange(LEVELS + 1.0)[::-1])
    if b >= reach:
        return a + (b - a) * part
    if a <= -reach:
        return b + (a - b) * part[::-1]
    return a + (b - a) / 2 * np.append(part, 2 - part[-2::-1])


def panels(slope: Callable[[Array], Array], ends: Array, root: float) -> Array:
    """Halved where log x varies much, or the Gaussian does."""
    while True:
        logs = 2 * np.log(np.maximum(np.abs(slope(ends)), FLOOR**0.5))
        steep = np.abs(np.diff(logs)) > SPREAD
        steep[[0, -1]] &= np.diff(ends)[[0, -1]] > 4.0**-LEVELS * root  # at a turn x may be 0
        long = steep | (np.diff(ends) > 1.5 * root)
        if not long.any():
            return ends
        ends = np.sort(np.append(ends, ((ends[1:] + ends[:-1]) / 2)[long]))


def path(series: Complex, half: Complex, side: float) -> tuple[Complex, Complex, Complex]:
    """x on a polygon aside, its place in each panel's own unit, and its speed; drawn back where x would come up again."""
    t, _ = legendre(NODES)
    shift = np.zeros(len(half) + 1)
    shift[1:-1] = side * TILT * np.minimum(half[1:], half[:-1])
    for _ in range(60):
        left, right = (shift[:-1] / half)[:, None], (shift[1:] / half)[:, None]
        aside = t + 0.5j * (left * (1 - t) + right * (1 + t))
        below = np.polynomial.legendre.legval(aside, series[:, :, None], tensor=False) ** 2
        up = (below.imag > 1e-14 * np.abs(below).max()).any(axis=1)
        if not up.any():
            break
        shift[1:-1] *= np.where(up[1:] | up[:-1], 0.5, 1.0)
    speed = 1 + 0.5j * (right - left)
    return below, aside, np.broadcast_to(speed, below.shape)
