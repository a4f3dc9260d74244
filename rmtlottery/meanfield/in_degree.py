"""The length map of a layer whose units have few inputs: about k = density x fan_in, too few for h to be Gaussian.

Every weight is present with probability `density` on its own (a binomial number of inputs), and drawn from a law. It is the
law of the *survivors*, up to its scale: sigma_w^2 = density x fan_in x E w^2, E w^2 theirs about zero, is what the mask left
of sigma_w, so that all here has the Gaussian map's q and differs in shape alone. A correction of the order of 1/k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import activation
from rmtlottery.meanfield.gaussian import Array, both_sides, whole
from rmtlottery.meanfield.gaussian import density as normal_density
from rmtlottery.meanfield.maps import Phi, lengths, sigmas
from rmtlottery.meanfield.shifted import shifted_coefficients
from rmtlottery.meanfield.sparse import densities, magnitude_threshold

Law = str | ArrayLike
Atoms = tuple[Array, Array]
LATTICE = 1 << 15
QUANTILES = 1000


def excess_kurtosis(
    fan_in: int, density: ArrayLike, weights: ArrayLike, signals: ArrayLike, bias_share: ArrayLike = 0.0
) -> Array:
    """[(kappa_w/p) kappa_x - 3]/fan_in x (1 - bias_share)^2 of h = W x + b, over masks, weights, signals and biases.

    kappa = E u^4/(E u^2)^2, 3 for a Gaussian: `weights` that of the survivors, `signals` that of x. b is Gaussian, with
    bias_share = sigma_b^2/q. Exactly k inputs for every unit instead give (kappa_w kappa_x - 3)/k.
    """
    whole(fan_in, "fan_in")
    share = 1 - np.asarray(bias_share, float)
    kappas = np.asarray(weights, float) * np.asarray(signals, float)
    return (kappas / densities(density) - 3) / fan_in * share**2


def quenched_kurtosis(squares: ArrayLike, m: ArrayLike, fourth: ArrayLike, bias_variance: ArrayLike = 0.0) -> Array:
    """Excess kurtosis of h_i = sum_j W_ij x_j of *given* weights, x_j independent of mean 0: `squares` W^2 (out, in).

    sum_j W_ij^4 (E x_j^4 - 3 m_j^2) / (v_i + bias_variance)^2, v_i = sum_j W_ij^2 m_j; 0 where no input is left.
    """
    squares, m, fourth = np.asarray(squares, float), np.asarray(m, float), np.asarray(fourth, float)
    if squares.ndim != 2 or not squares.shape[1:] == m.shape[-1:] == fourth.shape[-1:]:
        raise ValueError(f"squares (out, in) of shape {squares.shape}, m {m.shape} and fourth {fourth.shape} do not chain")
    variance = m @ squares.T + np.asarray(bias_variance, float)
    return (fourth - 3 * m**2) @ (squares**2).T / np.where(variance > 0, variance, 1.0) ** 2


def edgeworth_length_map(
    q: ArrayLike, sigma_w: ArrayLike, sigma_b: ArrayLike, kurtosis: ArrayLike, phi: Phi = "tanh"
) -> Array:
    """sigma_w^2 (V(q) + kurtosis/24 E[phi(sqrt(q) z)^2 He4(z)]) + sigma_b^2, `kurtosis` the excess of h of variance q."""
    sigma_w, sigma_b = sigmas(sigma_w, sigma_b)
    act, q, excess = activation(phi), lengths(q), np.asarray(kurtosis, float)
    if not np.all(np.isfinite(excess)):
        raise ValueError(f"kurtosis = {excess} is not finite")
    fourth = shifted_coefficients(lambda h: act.phi(h) ** 2, 0.0, q, 5, act.edges)[4]  # E[phi^2 He4] / sqrt(4!)
    return sigma_w**2 * (act.V(q) + excess / np.sqrt(24) * fourth) + sigma_b**2


@dataclass(frozen=True)
class SparseLayer:
    """fan_in, density and the survivors' law: "gaussian", "magnitude" (of Gaussian weights), "signs" or a sample of values.

    A sample's scale is left out (see above), its mean is not: where it is not 0, E h^2 is no longer the Gaussian map's.
    """

    fan_in: int
    density: float
    law: Law = "gaussian"

    def __post_init__(self) -> None:
        densities(self.density)
        whole(self.fan_in, "fan_in")
        self.survivors()

    def survivors(self) -> Atoms:
        """Values of E w^2 = 1 with their probabilities, a quadrature of the law."""
        values, chances = self.unscaled()
        chances = chances / chances.sum()
        return values / np.sqrt(chances @ values**2), chances

    def unscaled(self) -> Atoms:
        if not isinstance(self.law, str):
            values = np.ravel(np.asarray(self.law, float))
            if not np.any(values) or not np.all(np.isfinite(values)):
                raise ValueError("the sample of kept weights is empty, all 0 or not finite")
            few = np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES) if values.size > QUANTILES else values
            return few, np.ones_like(few)
        if self.law == "signs":
            return np.array([-1.0, 1.0]), np.ones(2)
        if self.law not in ("gaussian", "magnitude"):
            raise ValueError(f'law = {self.law!r} is not "gaussian", "magnitude", "signs" or a sample of values')
        away, weights = both_sides(9.0, 48)
        values = away + np.sign(away) * (magnitude_threshold(self.density) if self.law == "magnitude" else 0.0)
        return values, weights * normal_density(values)


def sparse_length_map(q_below: float, sigma_w: float, sigma_b: float, layer: SparseLayer, phi: Phi = "tanh") -> float:
    """sigma_w^2 E phi(h)^2 + sigma_b^2 over the exact law of h = W phi(sqrt(q_below) z) + b, b Gaussian.

    It is the layer *after* `layer`: q of `layer` itself is the Gaussian map's, only the next sees the shape of its h.
    """
    h, masses = sparse_law(q_below, sigma_w, sigma_b, layer, phi)
    return float(sigma_w**2 * masses @ activation(phi).phi(h) ** 2 + sigma_b**2)


def sparse_law(q_below: float, sigma_w: float, sigma_b: float, layer: SparseLayer, phi: Phi = "tanh") -> Atoms:
    """The law of h on a lattice, from its characteristic function e^{-sigma_b^2 t^2/2} [1 - p + p E e^{itwx}]^fan_in.

    Spread over the lattice with their first three moments kept, the terms w x need no smooth density: the atom of weight
    (1 - p)^fan_in at h = 0 stays one. It is a rule for averages of smooth functions, right to 1e-9, not a density: x is a
    sum over nodes, and masses may be negative.
    """
    sigmas(sigma_w, sigma_b)
    act, p = activation(phi), float(layer.density)
    z, weights = both_sides(9.0)
    (values, chances), x = layer.survivors(), act.phi(np.sqrt(float(lengths(q_below))) * z)
    terms = np.outer(values, x).ravel() * sigma_w / np.sqrt(p * layer.fan_in)
    chances = np.outer(chances, weights * normal_density(z)).ravel()
    spread = np.sqrt(sigma_w**2 * act.V(q_below) + sigma_b**2)
    end = 16 * spread + np.max(np.abs(terms)) + abs(p * layer.fan_in * (chances @ terms))
    step = 2 * end / LATTICE if end > 0 else 1.0
    t = 2 * np.pi * np.fft.rfftfreq(LATTICE, step)
    sum_of_terms = (1 - p + p * np.fft.rfft(on_lattice(terms / step, chances))) ** layer.fan_in
    masses = np.fft.irfft(sum_of_terms * np.exp(-((sigma_b * t) ** 2) / 2), LATTICE)
    return np.fft.fftfreq(LATTICE, 1 / LATTICE) * step, masses


def on_lattice(places: Array, chances: Array) -> Array:
    """Each chance on the four integers about its place, as the cubic through them would weigh them, modulo LATTICE."""
    low = np.floor(places).astype(int)
    f = places - low
    shares = (
        -f * (f - 1) * (f - 2) / 6,
        (f + 1) * (f - 1) * (f - 2) / 2,
        -(f + 1) * f * (f - 2) / 2,
        (f + 1) * f * (f - 1) / 6,
    )
    masses = np.zeros(LATTICE)
    for k, share in enumerate(shares):
        masses += np.bincount((low + k - 1) % LATTICE, weights=share * chances, minlength=LATTICE)
    return masses
