"""Squared singular values of a network's Jacobian by free probability [Pennington, Schoenholz & Ganguli 2017, 2018]."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import activation
from rmtlottery.meanfield.gaussian import Array, lengths, whole
from rmtlottery.meanfield.maps import Phi
from rmtlottery.spectra.factors import Part, gaussian, orthogonal, spectral
from rmtlottery.spectra.free_product import FreeProduct
from rmtlottery.spectra.gain_law import Law, gain_law

WEIGHTS = {"gaussian": gaussian, "orthogonal": orthogonal}


class JacobianLaw(FreeProduct):
    """The eigenvalues of J J^T, J = D_L W_L ... D_1 W_1, D_l = diag phi'(h_l) with h_l ~ N(0, q[l]).

    One q and one sigma_w per layer; a number is for every layer, and two numbers are one layer. q[l] is the length of the
    pre-activation that D_l sees. Factors of equal widths commute: dh^L/dh^1 = W_L D_(L-1) .. W_2 D_1 has the law of the
    L - 1 layers with q of h^1 .. h^(L-1) and sigma_w of W_2 .. W_L. W_l is (n_l, n_(l-1)) of entries of variance
    sigma_w^2/n_(l-1), the `widths` (n_0, .., n_L) all equal by default; the law is of the n_L eigenvalues of J J^T, zeros
    included. "orthogonal": W W^T = sigma_w^2, or W^T W = sigma_w^2 n_l/n_(l-1) if n_l is the larger.

    `edge` is that of the limit, reached from below. For gelu and silu at small q gains too rare for a finite net set it.

    `excess`, a number or one per layer, is what `sparse_excess` gives for independent weights of few inputs or heavy tails.
    It changes `variance` and `second_moment` only: mean, edge, atom, pdf and cdf stay those of the limit of many inputs.
    """

    def __init__(
        self,
        q: ArrayLike,
        sigma_w: ArrayLike,
        phi: Phi = "tanh",
        weights: str = "gaussian",
        *,
        widths: Sequence[int] | None = None,
        excess: ArrayLike = 0.0,
    ) -> None:
        if weights not in WEIGHTS:
            raise ValueError(f"weights = {weights!r} are not known; take 'gaussian' or 'orthogonal'")
        q, sigma_w, excess = layers(q, sigma_w, excess)
        n = dimensions(widths, len(q))
        act = activation(phi)
        laws: dict[tuple[float, float], Law] = {}
        parts: list[Part] = []
        for layer, (length, sigma) in enumerate(zip(q, sigma_w, strict=True)):
            rows, columns = n[layer + 1], n[layer]
            key = (length, rows)
            laws[key] = laws.get(key) or gain_law(act, float(length)).times(rows)
            parts += [WEIGHTS[weights](float(sigma), rows, columns), spectral(laws[key], rows, rows)]
        super().__init__(parts)
        self._excess = float(n[-1] * np.sum(excess / n[1:]))

    @property
    def variance(self) -> float:
        """Relative: m2/m1^2 - 1, the sum of mu2/mu1^2 - 1 + (1 if Gaussian) + excess over layers of equal widths."""
        return super().variance + self._excess


def sparse_excess(kurtosis: ArrayLike, density: ArrayLike, fan_in: ArrayLike) -> Array:
    """(kurtosis/density - 2)/fan_in, the `excess` of a layer of independent weights kept with that probability.

    `kurtosis` is that of the kept weights, E w^4/(E w^2)^2: 3 if Gaussian, 1 if only signs. To leading order in 1/fan_in,
    good from about 10 inputs per unit on; products of few inputs and finite widths: `masked_moments`.
    """
    kurtosis, density, fan_in = (np.asarray(value, float) for value in (kurtosis, density, fan_in))
    if not (np.all(kurtosis >= 1) and np.all((density > 0) & (density <= 1)) and np.all(fan_in >= 1)):
        raise ValueError(
            f"kurtosis = {kurtosis}, density = {density}, fan_in = {fan_in} are no weights: "
            "a kurtosis is at least 1, a density in (0, 1], a fan-in at least 1"
        )
    return np.asarray((kurtosis / density - 2) / fan_in)


def layers(q: ArrayLike, sigma_w: ArrayLike, excess: ArrayLike) -> tuple[Array, Array, Array]:
    """One of each per layer."""
    held = [np.atleast_1d(value) for value in (lengths(q), lengths(sigma_w, "sigma_w"), np.asarray(excess, float))]
    depth = max(value.size for value in held)
    if any(value.shape not in ((1,), (depth,)) for value in held) or min(value.size for value in held) == 0:
        shapes = ", ".join(str(value.shape) for value in held)
        raise ValueError(f"q, sigma_w and excess of shapes {shapes} are not a number or one for each of the same layers")
    one, two, three = (np.broadcast_to(value, (depth,)) for value in held)
    return one, two, three


def dimensions(widths: Sequence[int] | None, depth: int) -> Array:
    """n_0 .. n_L; of equal widths only the ratio counts."""
    if widths is None:
        return np.ones(depth + 1)
    n = np.array([whole(width, "a width") for width in widths], float)
    if len(n) != depth + 1:
        raise ValueError(f"{len(n)} widths do not go with {depth} layers: give n_0 .. n_{depth}, {depth + 1} of them")
    return n
