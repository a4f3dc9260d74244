"""Activations as theory sees them: phi and its slope, declared together, with closed forms where there are any.

V(q) = E phi(sqrt(q) z)^2, D(q) = E phi'(sqrt(q) z)^2, K(q, c) = E phi(u1) phi(u2), and the mean of phi'(u1) phi'(u2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf

from rmtlottery.meanfield.gaussian import Array, gaussian_mean, gaussian_pair_mean

Map = Callable[[Array], Array]
PairMap = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Activation:
    """phi and its slope, how far |phi| reaches, and whether phi(a h) = a phi(h) for a > 0.

    What has no closed form is averaged numerically, by a rule that resolves a turn or a kink at h = 0 only.
    """

    name: str
    phi: Map
    slope: Map
    bound: float = np.inf
    homogeneous: bool = False
    square_mean: Map | None = None
    slope_square_mean: Map | None = None
    pair_mean: PairMap | None = None
    slope_pair_mean: PairMap | None = None

    def V(self, q: ArrayLike) -> Array:
        """E phi(sqrt(q) z)^2 [Poole et al. 2016, eq. 3]."""
        q = np.asarray(q, float)
        return self.square_mean(q) if self.square_mean else gaussian_mean(lambda h: self.phi(h) ** 2, q)

    def D(self, q: ArrayLike) -> Array:
        """E phi'(sqrt(q) z)^2."""
        q = np.asarray(q, float)
        return self.slope_square_mean(q) if self.slope_square_mean else gaussian_mean(lambda h: self.slope(h) ** 2, q)

    def V_slope(self, q: ArrayLike) -> Array:
        """dV/dq = E phi phi' z / sqrt(q), a sum without cancellation; at q = 0 it is phi'(0)^2 if phi(0) = 0."""
        q = np.asarray(q, float)
        if self.homogeneous:
            return np.full_like(q, self.V(1.0))
        root = np.sqrt(np.where(q > 0, q, 1.0))
        away = gaussian_mean(lambda h: self.phi(h) * self.slope(h) * h, root**2) / root**2
        return np.where(q > 0, away, self.slope(np.zeros(())) ** 2)

    def K(self, q: ArrayLike, c: ArrayLike) -> Array:
        """E phi(u1) phi(u2), both of variance q, with correlation c."""
        q, c = np.asarray(q, float), np.asarray(c, float)
        return self.pair_mean(q, c) if self.pair_mean else gaussian_pair_mean(self.phi, q, c)

    def K_slope(self, q: ArrayLike, c: ArrayLike) -> Array:
        """E phi'(u1) phi'(u2), which is dK/dc over q."""
        q, c = np.asarray(q, float), np.asarray(c, float)
        return self.slope_pair_mean(q, c) if self.slope_pair_mean else gaussian_pair_mean(self.slope, q, c)


def sech_squared(h: Array) -> Array:
    """tanh' in a form that neither overflows nor cancels."""
    tail = np.exp(-2 * np.abs(h))
    return 4 * tail / (1 + tail) ** 2


def relu_pair_mean(q: Array, c: Array) -> Array:
    return q / (2 * np.pi) * (np.sqrt(np.maximum(0, 1 - c**2)) + c * (np.pi - np.arccos(c)))


tanh = Activation("tanh", np.tanh, sech_squared, bound=1.0)

# phi(h) = erf(h): its slope at 0 is 2/sqrt(pi), not 1 [Williams 1997].
erf_ = Activation(
    "erf",
    erf,
    lambda h: 2 / np.sqrt(np.pi) * np.exp(-(h**2)),
    bound=1.0,
    square_mean=lambda q: 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)),
    slope_square_mean=lambda q: 4 / np.pi / np.sqrt(1 + 4 * q),
    pair_mean=lambda q, c: 2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q)),
    slope_pair_mean=lambda q, c: 4 / np.pi / np.sqrt((1 + 2 * q * (1 - c)) * (1 + 2 * q * (1 + c))),
)

# The arc-cosine kernels of degree 1 and 0 [Cho and Saul 2009].
relu = Activation(
    "relu",
    lambda h: np.maximum(h, 0),
    lambda h: np.greater(h, 0).astype(float),
    homogeneous=True,
    square_mean=lambda q: q / 2,
    slope_square_mean=lambda q: np.full_like(q, 0.5),
    pair_mean=relu_pair_mean,
    slope_pair_mean=lambda q, c: np.broadcast_to((np.pi - np.arccos(c)) / (2 * np.pi), np.broadcast(q, c).shape),
)

ACTIVATIONS = {activation.name: activation for activation in (tanh, erf_, relu)}


def activation(phi: str | Activation) -> Activation:
    """An Activation by its name, or itself."""
    if isinstance(phi, Activation):
        return phi
    if phi not in ACTIVATIONS:
        near = get_close_matches(phi, ACTIVATIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(ACTIVATIONS)}, or pass an Activation"
        raise ValueError(f"unknown activation {phi!r}: {hint}")
    return ACTIVATIONS[phi]
