"""Activations as theory sees them: phi and its slope, declared together, with closed forms where there are any.

V(q) = E phi(sqrt(q) z)^2, D(q) = E phi'(sqrt(q) z)^2, K(q, c) = E phi(u1) phi(u2), and the mean of phi'(u1) phi'(u2).
"""

from collections.abc import Callable
from dataclasses import InitVar, dataclass
from difflib import get_close_matches
from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, expit, ndtr

from rmtlottery.meanfield import closed
from rmtlottery.meanfield.declared import check
from rmtlottery.meanfield.gaussian import LARGEST, Array, density, gaussian_mean, lengths
from rmtlottery.meanfield.pairs import correlations, gaussian_pair_mean

Map = Callable[[Array], Array]
PairMap = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class Activation:
    """phi and its slope, how far |phi| reaches, whether phi(a h) = a phi(h) for a > 0, and whether it is odd.

    Activation("softsign", lambda h: h / (1 + abs(h)), lambda h: (1 + abs(h)) ** -2.0, bound=1.0, odd=True)

    What has no closed form is averaged numerically, by a rule that resolves a turn or a kink at h = 0 only, up to
    q = 1e5, or `limit`: a phi that it does not resolve is refused unless the closed forms, all from square_mean to
    slope_fourth_mean, are given. Those of one signal are functions of q, those of a pair of (q1, q2, c). Averages about
    a mean take kinks at `edges` too. `vouched` is for those declared in this file, which tests hold to their slopes.
    """

    name: str
    phi: Map
    slope: Map = cast(Map, None)
    bound: float = np.inf
    homogeneous: bool = False
    odd: bool = False
    edges: tuple[float, ...] = ()
    limit: float | None = None
    square_mean: Map | None = None
    slope_square_mean: Map | None = None
    pair_mean: PairMap | None = None
    slope_pair_mean: PairMap | None = None
    square_slope: Map | None = None
    fourth_mean: Map | None = None
    slope_fourth_mean: Map | None = None
    vouched: InitVar[bool] = False

    def __post_init__(self, vouched: bool) -> None:
        pairs = (self.pair_mean, self.slope_pair_mean)
        forms = (self.square_mean, self.slope_square_mean, self.square_slope, self.fourth_mean, self.slope_fourth_mean)
        if not vouched:
            check(self, all((*pairs, *forms)))

    def V(self, q: ArrayLike) -> Array:
        """E phi(sqrt(q) z)^2 [Poole et al. 2016, eq. 3]."""
        return self._mean(self.square_mean, lambda h: self.phi(h) ** 2, q)

    def D(self, q: ArrayLike) -> Array:
        """E phi'(sqrt(q) z)^2."""
        return self._mean(self.slope_square_mean, lambda h: self.slope(h) ** 2, q)

    def V4(self, q: ArrayLike) -> Array:
        """E phi(sqrt(q) z)^4."""
        return self._mean(self.fourth_mean, lambda h: self.phi(h) ** 4, q)

    def D4(self, q: ArrayLike) -> Array:
        """E phi'(sqrt(q) z)^4."""
        return self._mean(self.slope_fourth_mean, lambda h: self.slope(h) ** 4, q)

    def V_slope(self, q: ArrayLike) -> Array:
        """dV/dq = E phi phi' z / sqrt(q), a sum without cancellation; at q = 0 it is phi'(0)^2 if phi(0) = 0."""
        q = lengths(q)
        if self.homogeneous or self.square_slope:
            return self._mean(self.square_slope or (lambda q: np.full_like(q, self.V(1.0))), self.phi, q)
        divisor = np.where(q > 0, q, 1.0)
        away = self._mean(None, lambda h: self.phi(h) * self.slope(h) * h, divisor) / divisor
        return np.where(q > 0, away, self.slope(np.zeros(())) ** 2)

    def K(self, q: ArrayLike, c: ArrayLike, q2: ArrayLike | None = None) -> Array:
        """E phi(u1) phi(u2) of correlation c; both have variance q, or the second has q2."""
        return self._pair_mean(self.pair_mean, self.phi, q, q if q2 is None else q2, c)

    def K_slope(self, q: ArrayLike, c: ArrayLike, q2: ArrayLike | None = None) -> Array:
        """E phi'(u1) phi'(u2), which is dK/dc over sqrt(q q2)."""
        return self._pair_mean(self.slope_pair_mean, self.slope, q, q if q2 is None else q2, c)

    @property
    def largest(self) -> float:
        """The length up to which averages without a closed form are right; of a phi that grows, every one."""
        return self.limit or (LARGEST if np.isfinite(self.bound) else np.inf)

    def _mean(self, form: Map | None, f: Map, q: ArrayLike) -> Array:
        """Of an f that is even if phi is odd."""
        return np.asarray(form(lengths(q)), float) if form else gaussian_mean(f, q, self.largest, self.odd)

    def _pair_mean(self, form: PairMap | None, f: Map, q1: ArrayLike, q2: ArrayLike, c: ArrayLike) -> Array:
        if form is None:
            return gaussian_pair_mean(f, q1, q2, c, self.largest)
        given = np.broadcast_arrays(lengths(q1), lengths(q2), correlations(c))
        return np.asarray(form(*given), float)


def sech_squared(h: Array) -> Array:
    """tanh' in a form that neither overflows nor cancels."""
    tail = np.exp(-2 * np.abs(h))
    return 4 * tail / (1 + tail) ** 2


def silu_slope(h: Array) -> Array:
    return expit(h) * (1 + h * expit(-h))


def leaky(name: str, a: float) -> Activation:
    """phi(h) = h above 0, a h below; at h = 0 the slope is a, as in torch."""
    return Activation(
        name,
        lambda h: np.where(h > 0, h, a * h),
        lambda h: np.where(h > 0, 1.0, a),
        homogeneous=True,
        odd=a == 1,
        square_mean=lambda q: (1 + a**2) / 2 * q,
        slope_square_mean=lambda q: np.full_like(q, (1 + a**2) / 2),
        pair_mean=lambda q1, q2, c: closed.leaky_pair(a, q1, q2, c),
        slope_pair_mean=lambda q1, q2, c: closed.leaky_slope_pair(a, c),
        square_slope=lambda q: np.full_like(q, (1 + a**2) / 2),
        fourth_mean=lambda q: 1.5 * (1 + a**4) * q**2,
        slope_fourth_mean=lambda q: np.full_like(q, (1 + a**4) / 2),
        vouched=True,
    )


tanh = Activation("tanh", np.tanh, sech_squared, bound=1.0, odd=True, vouched=True)

# phi(h) = erf(h): its slope at 0 is 2/sqrt(pi), not 1 [Williams 1997].
erf_ = Activation(
    "erf",
    erf,
    lambda h: 2 / np.sqrt(np.pi) * np.exp(-(h**2)),
    bound=1.0,
    odd=True,
    square_mean=lambda q: closed.erf_pair(q, q, np.ones_like(q)),
    slope_square_mean=lambda q: 4 / np.pi / np.sqrt(1 + 4 * q),
    pair_mean=closed.erf_pair,
    slope_pair_mean=lambda q1, q2, c: 4 / np.pi / np.sqrt(closed.determinant(2 * q1, 2 * q2, c)),
    square_slope=lambda q: 4 / np.pi / ((1 + 2 * q) * np.sqrt(1 + 4 * q)),
    slope_fourth_mean=lambda q: 16 / np.pi**2 / np.sqrt(1 + 8 * q),
    vouched=True,
)

# phi(h) = h between -1 and 1, with slope 0 at both, as in torch.
hard_tanh = Activation(
    "hard_tanh",
    lambda h: np.clip(h, -1.0, 1.0),
    lambda h: np.where(np.abs(h) < 1, 1.0, 0.0),
    bound=1.0,
    odd=True,
    edges=(-1.0, 1.0),
    square_mean=lambda q: q * closed.inside(2, q) + closed.outside(q),
    slope_square_mean=lambda q: closed.inside(0, q),
    pair_mean=closed.hard_tanh_pair,
    slope_pair_mean=closed.hard_tanh_slope_pair,
    square_slope=lambda q: closed.inside(2, q),
    fourth_mean=lambda q: 3 * q**2 * closed.inside(4, q) + closed.outside(q),
    slope_fourth_mean=lambda q: closed.inside(0, q),
    vouched=True,
)

# phi(h) = h Phi(h), Phi the normal distribution function: the exact form, torch's default, not the one by tanh.
gelu = Activation(
    "gelu",
    lambda h: h * ndtr(h),
    lambda h: ndtr(h) + h * density(h),
    square_mean=lambda q: closed.gelu_pair(q, q, np.ones_like(q)),
    slope_square_mean=closed.gelu_slope_square,
    pair_mean=closed.gelu_pair,
    slope_pair_mean=closed.gelu_slope_pair,
    square_slope=closed.gelu_square_slope,
    vouched=True,
)

silu = Activation("silu", lambda h: h * expit(h), silu_slope, vouched=True)

ALL = (tanh, erf_, leaky("relu", 0.0), leaky("leaky_relu", 0.01), hard_tanh, leaky("linear", 1.0), gelu, silu)
ACTIVATIONS = {activation.name: activation for activation in ALL}


def activation(phi: str | Activation) -> Activation:
    """An Activation by its name, or itself."""
    if isinstance(phi, Activation):
        return phi
    if not isinstance(phi, str):
        raise ValueError(f"phi = {phi!r} is neither a name nor an Activation(name, phi, slope)")
    if phi not in ACTIVATIONS:
        near = get_close_matches(phi.lower(), ACTIVATIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(ACTIVATIONS)}, or pass an Activation"
        raise ValueError(f"unknown activation {phi!r}: {hint}")
    return ACTIVATIONS[phi]
