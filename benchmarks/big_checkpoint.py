"""The layers of a checkpoint of 8 GB: time, and memory at the peak against the largest layer in float64.

It is made in a folder of $TMPDIR that is gone afterwards; writes big_checkpoint.csv in docs/cost.
"""

import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks import _checkpoint
from benchmarks._clock import Row
from rmtlottery.work.unit import cores, provenance

DIFFERS = (
    "Nothing is compared. `python -m rmtlottery.analyze FOLDER --only layers`, with neither redraws nor bootstraps, is "
    "asked in a process of its own; memory is its peak less what it held after the same was asked of a checkpoint of 1 MB. "
    "Time is that of the command, without its imports."
)
GIGABYTES = 8.0
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "cost"


def measure() -> Iterator[Row]:
    row = measured(GIGABYTES)
    yield {"case": f"{GIGABYTES:g} GB", "ours_s": row["seconds"], "memory / largest layer": row["layers_of_memory"]}
    machine = ", ".join(f"{key} {value}" for key, value in (provenance() | {"cores": str(cores())}).items())
    FOLDER.mkdir(exist_ok=True)
    pd.DataFrame([row]).assign(machine=machine).to_csv(FOLDER / "big_checkpoint.csv", index=False, float_format="%.4g")


def measured(gigabytes: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as root:
        if (free := shutil.disk_usage(root).free / 1e9) < 1.1 * gigabytes:
            sys.exit(f"{root} has {free:.3g} GB free, and a checkpoint of {gigabytes:g} GB is to be made there: set TMPDIR")
        folder = _checkpoint.make(Path(root) / "checkpoint", gigabytes)
        command = [sys.executable, "-m", "benchmarks._asked", str(folder)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return summary(gigabytes, json.loads(done.stdout))


def summary(gigabytes: float, cost: dict[str, float]) -> dict[str, float]:
    named = _checkpoint.shapes(gigabytes)
    largest = 8 * max(map(math.prod, named.values()))
    memory = cost["peak_bytes"] - cost["before_bytes"]
    sizes = {"gigabytes": gigabytes, "layers": sum(len(shape) == 2 for shape in named.values()), "largest_bytes": largest}
    return sizes | cost | {"layers_of_memory": memory / largest}
