"""Predicted thresholds of quadratic wells in 1000 dimensions against simulated ones.

Writes wells.csv in docs/wells; some seven minutes on one core, with OMP_NUM_THREADS=1.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._clock import Row
from rmtlottery import width
from rmtlottery.meanfield.gaussian import Array

DIFFERS = (
    "Nothing is timed. Simulated is the median over draws of the least d at which some point of a nested uniformly random "
    "subspace is as low as the loss; mean field, Larsen's bound and E dist^2 to the cone of descent are predictions of it, "
    "gordon is the bound on the probability of a hit at the simulated d, where it is one half."
)
FOLDER = Path(__file__).parents[1] / "docs" / "wells"
AMBIENT, DRAWS, SAMPLES = 1000, 200, 100
RANKS = np.arange(1, AMBIENT + 1)
SPECTRA: dict[str, Array] = {
    "flat": np.ones(AMBIENT),
    "power -1": 1.0 / RANKS,
    "power -2": RANKS**-2.0,
    "ten spikes": np.where(RANKS <= 10, 100.0, 0.1),
    "half of the rank": np.where(RANKS <= AMBIENT // 2, 1.0 / RANKS, 0.0),
}
DISPLACEMENTS: dict[str, Array] = {
    "isotropic": np.ones(AMBIENT),
    "along the 20 largest": np.where(RANKS <= 20, 1.0, 0.05),
    "off the 50 largest": np.where(RANKS <= 50, 0.05, 1.0),
}
SHARES = (0.3, 0.05)


def measure() -> Iterator[Row]:
    rows = [row for case in product(SPECTRA, DISPLACEMENTS) for row in cell(*case)]
    rows.append(summary(rows))
    yield from rows
    FOLDER.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(FOLDER / "wells.csv", index=False, float_format="%.4g")


def cell(spectrum: str, displacement: str, draws: int = DRAWS) -> list[Row]:
    """A row for each loss, of the same draws."""
    numbers = np.random.default_rng(0)
    h = SPECTRA[spectrum]
    u = DISPLACEMENTS[displacement] * numbers.standard_normal(AMBIENT)
    reached, well = width.least_losses(h, u, draws, numbers), width.Well.of(h, u)
    return [
        {"case": f"{spectrum}, {displacement}, {share:g} of the initial loss"}
        | compared(h, u, share * well.start, reached, numbers)
        for share in SHARES
    ]


def compared(h: Array, u: Array, loss: float, reached: Array, numbers: np.random.Generator) -> Row:
    simulated = float(np.median(width.hitting_dimensions(reached, loss)))
    cone = width.Descent(h, u, loss)
    size = width.gaussian_width(width.Section(cone), SAMPLES, numbers).value
    return {
        "simulated": simulated,
        "mean_field": float(width.quadratic_threshold(h, u, loss)),
        "larsen": float(width.larsen_bound(h, np.linalg.norm(u), loss)),
        "distance_squared": width.distance_to(cone, SAMPLES, numbers).value,
        "gordon": float(width.gordon_bound(AMBIENT - simulated, size)),
    }


def summary(rows: list[Row]) -> Row:
    """The root mean square of what each prediction misses by, and the least of the bounds."""
    table = pd.DataFrame(rows)
    missed = {name: table[name] - table["simulated"] for name in ("mean_field", "larsen", "distance_squared")}
    lengths = {name: float((held**2).mean() ** 0.5) for name, held in missed.items()}
    return {"case": "root mean square missed by, gordon: the least", "gordon": float(table["gordon"].min())} | lengths
