"""What weights alone say of each layer, single-threaded, against WeightWatcher; and Gram matrices against SVD.

An FCNet of 3072 -> 8x256 -> 10, without and with what random matrices would say, and weights of the shapes of ResNet-18.
Writes layers.csv in docs/spectra.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks._clock import Row

DIFFERS = (
    "Both read the same Gaussian float32 weights from a file and take eigenvalues of W W^T in float64, norms, stable rank, "
    "rank, entropy, and the power law whose xmin has the least KS distance. Ours has a convolution's kernel unfolded, and "
    "its eigenvalues by Gram matrix; the other has its k^2 slices together, by SVD. Ours always adds the Marchenko-Pastur "
    "law of the same mean square; the other, when asked, searches for its variance, and estimates the density anew at every "
    "step. Of redraws, ours makes 99 a layer and 100 bootstraps for a p-value; the other makes one (five below 100 values)."
)
ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-bench"
FOLDER = ROOT / "docs" / "spectra"
CHILD = (sys.executable, "-m", "benchmarks._layers")


def measure() -> Iterator[Row]:
    if not (PEERS / "installed").exists():
        sys.exit(f"WeightWatcher, which layers are compared with, is not in {PEERS}: make .venv-bench/installed")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PEERS)}
    with subprocess.Popen(CHILD, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        rows = []
        for line in child.stdout or ():
            rows.append(json.loads(line))
            yield rows[-1]
    if child.returncode:
        sys.exit(f"{' '.join(CHILD[1:])} ended with exit code {child.returncode}; what it said is above")
    pd.DataFrame(rows).to_csv(FOLDER / "layers.csv", index=False, float_format="%.3g")
