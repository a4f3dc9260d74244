"""How often spikes and heavy tails are claimed of purely random masked layers: each test's alarms against its level.

Writes false_alarms.csv in docs/spectra; about half an hour on one core, with OMP_NUM_THREADS=1.
"""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.stats import binom

from benchmarks._clock import Row
from rmtlottery.meanfield.gaussian import Array
from rmtlottery.spectra.nulls import gram_spectrum, null_spectra
from rmtlottery.spectra.spikes import spikes_by_null, spikes_by_tracy_widom, tracy_widom_holds
from rmtlottery.spectra.tails import read_tail

DIFFERS = (
    "Nothing is timed. Entries are independent, kept with a chance of the density, Gaussian or bimodal (-1 or 1, and .3 of "
    "a Gaussian); bound is what a test that keeps its level exceeds once in a thousand. The first 20 layers of a cell are "
    "redrawn, 99 times, kept values in other kept places; of none of these may a heavy tail be read, with 20 bootstraps."
)
FOLDER = Path(__file__).parents[1] / "docs" / "spectra"
SHAPES = ((256, 256), (256, 3072))
DENSITIES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.01)
LAYERS, REDRAWN, REDRAWS = 400, 20, 99
SURE = 0.999
LEVELS = {"tracy-widom": 0.01, "tracy-widom where it holds": 0.01, "redraws": 0.01, "heavy tail": 0.0}


def gaussian(numbers: Generator, shape: tuple[int, int]) -> Array:
    return numbers.standard_normal(shape)


def bimodal(numbers: Generator, shape: tuple[int, int]) -> Array:
    return 0.3 * numbers.standard_normal(shape) + numbers.choice([-1.0, 1.0], shape)


LAWS: dict[str, Callable[[Generator, tuple[int, int]], Array]] = {"gaussian": gaussian, "bimodal": bimodal}


def measure() -> Iterator[Row]:
    rows: list[Row] = []
    for shape, density, law in product(SHAPES, DENSITIES, LAWS):
        for row in cell(shape, density, law, LAYERS):
            rows.append(row)
            yield row
    for row in pooled(rows):
        rows.append(row)
        yield row
    FOLDER.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(FOLDER / "false_alarms.csv", index=False, float_format="%.4g")


def cell(shape: tuple[int, int], density: float, law: str, layers: int) -> Iterator[Row]:
    """A row for each test, of the same layers."""
    numbers = np.random.default_rng(0)
    here: Row = {"case": f"{shape[0]} x {shape[1]}", "density": density, "law": law}
    drawn = (np.where(numbers.random(shape) < density, LAWS[law](numbers, shape), 0.0) for _ in range(layers))
    asked = pd.DataFrame([alarms(weight, numbers, seen < REDRAWN) for seen, weight in enumerate(drawn)])
    for test in LEVELS:
        fired = asked[test].dropna()
        yield here | counted(test, len(fired), int(fired.sum()))


def counted(test: str, layers: int, fired: int) -> Row:
    """`bound`: what a test that keeps its level exceeds once in a thousand."""
    bound = int(binom.ppf(SURE, layers, LEVELS[test])) if layers else 0
    return {"test": test, "layers": layers, "fired": fired, "level": LEVELS[test], "bound": bound}


def pooled(rows: list[Row]) -> Iterator[Row]:
    """Each test over all cells."""
    for test in LEVELS:
        held = [row for row in rows if row["test"] == test]
        yield {"case": "all"} | counted(test, sum(row["layers"] for row in held), sum(row["fired"] for row in held))


def alarms(weight: Array, numbers: Generator, redrawn: bool) -> dict[str, bool | None]:
    """What each test claims of one layer; None where it is not asked."""
    values = gram_spectrum(weight)
    by_law = spikes_by_tracy_widom(values, weight.shape).count > 0
    found: dict[str, bool | None] = dict.fromkeys(LEVELS)
    found |= {"tracy-widom": by_law, "tracy-widom where it holds": by_law if tracy_widom_holds(weight) else None}
    if redrawn:
        redraws = null_spectra(weight, weight != 0, "permuted", REDRAWS, numbers)
        found["redraws"] = spikes_by_null(values, redraws, LEVELS["redraws"]).count > 0
        found["heavy tail"] = read_tail(values, redraws, bootstraps=20).heavy
    return found
