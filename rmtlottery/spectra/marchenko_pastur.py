"""The eigenvalues of a large W W^T with independent entries of one variance [Marchenko and Pastur 1967], all in closed form.

With x = variance (1 + ratio - 2 sqrt(ratio) cos t), 0 < t < pi, the law of t is smooth at every ratio, also at ratio = 1,
where the density of x diverges at 0. For ratio > 1 it is that of W^T W, of which W W^T has the nonzero eigenvalues.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.gaussian import Array, whole
from rmtlottery.spectra.arguments import points, positive, probabilities
from rmtlottery.spectra.inverse import inverse


@dataclass(frozen=True)
class MarchenkoPastur:
    """W is (m, n), ratio = m/n, its entries have variance `variance`/n (not `variance`): the mean eigenvalue is `variance`.

    For m > n at least m - n of the m eigenvalues are 0: the cdf has that atom, the pdf integrates to 1 - atom.
    """

    ratio: float
    variance: float = 1.0

    def __post_init__(self) -> None:
        positive(self.ratio, "ratio")
        positive(self.variance, "variance")

    @property
    def edges(self) -> tuple[float, float]:
        """Of the continuous part."""
        root = np.sqrt(self.ratio)
        # 1 - ratio is exact near 1, where 1 - root is not
        return float(self.variance * ((1 - self.ratio) / (1 + root)) ** 2), float(self.variance * (1 + root) ** 2)

    @property
    def atom(self) -> float:
        """The weight of 0."""
        return max(0.0, 1 - 1 / self.ratio)

    @property
    def mean(self) -> float:
        return self.variance

    def moment(self, k: int) -> float:
        """E x^k over all m eigenvalues; a sum of Narayana numbers."""
        whole(k, "k", 0)
        narayana = (comb(k, j) * comb(k - 1, j) / (j + 1) * self.ratio**j for j in range(k))
        return float(self.variance**k * sum(narayana)) if k else 1.0

    def pdf(self, x: ArrayLike) -> Array:
        """Infinite at x = 0 for ratio = 1."""
        x, (low, high) = points(x), self.edges
        held = np.where((x > 0) & (x >= low) & (x <= high), x, high)
        found = np.sqrt(high - held) * np.sqrt(held - low) / (2 * np.pi * self.variance * self.ratio * held)
        return np.where((x == 0) & (low == 0), np.inf, found)

    def cdf(self, x: ArrayLike) -> Array:
        """With the atom: it jumps to `atom` at x = 0."""
        x, (low, high) = points(x), self.edges
        angle = 2 * np.arctan2(np.sqrt(np.clip(x - low, 0, high)), np.sqrt(np.clip(high - x, 0, high)))
        found = self.atom + (1 - self.atom) * angle_cdf(angle, self.short_root)
        return np.where(x < 0, 0.0, np.where(x < high, np.clip(found, 0, 1), 1.0))

    def ppf(self, p: ArrayLike) -> Array:
        """The smallest x >= 0 with cdf(x) >= p: 0 within the atom."""
        p, (low, high), root = probabilities(p), self.edges, self.short_root
        share = np.clip((p - self.atom) / (1 - self.atom), 0, 1)
        angle = inverse(lambda t: angle_cdf(t, root), share, 0.0, np.pi)
        found = np.where(p == 1, high, low + (high - low) * np.sin(angle / 2) ** 2)
        return np.where((p <= self.atom) & (self.atom > 0), 0.0, np.where(p == 0, low, found))

    @property
    def short_root(self) -> float:
        """sqrt(short side / long side)."""
        return float(np.sqrt(min(self.ratio, 1 / self.ratio)))


def angle_cdf(angle: Array, root: float) -> Array:
    """(2/pi) times the integral from 0 to `angle` of sin^2 t / (1 + root^2 - 2 root cos t), root <= 1.

    Over pi, angle + root sin(angle) - (1 - root^2) sum_{k >= 2} root^(k - 2) sin(k angle) / k. The sum from k = 1 on is an
    arctan; a small root costs it 1e-16/root, no more than the rounding of x costs the angle.
    """
    wave = root * np.sin(angle)
    higher = (np.arctan2(wave, 1 - root * np.cos(angle)) - wave) / root**2
    return (angle + wave - (1 - root) * (1 + root) * higher) / np.pi
