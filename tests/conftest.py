"""Shared by the tests: statistical assertions that must refuse a near miss, and small runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rmtlottery as rl
from rmtlottery.datasets.files import place
from rmtlottery.datasets.published import CIFAR10, MNIST


def assert_mean(samples, expected, *, rejects, bias=0.0, z=5.0):
    """The samples agree with `expected`, and are sharp enough to refuse `rejects`."""
    error = np.std(samples, ddof=1) / np.sqrt(len(samples))
    got = max(0.0, abs(np.mean(samples) - expected) - bias) / error
    assert got < z, f"mean {np.mean(samples):.5g} is {got:.1f} standard errors from {expected:.5g}"
    power = max(0.0, abs(np.mean(samples) - rejects) - bias) / error
    assert power > z, f"too blunt: {rejects:.5g} is only {power:.1f} standard errors away"


TINY = rl.preset("first").but(widths="12,8", epochs=2, levels=3, batch=100, seeds=(0, 1))


@pytest.fixture
def tiny():
    """A spec that trains in a fraction of a second, on unequal widths."""
    return TINY


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A finished run of TINY; no test may write into it."""
    return rl.fit(TINY, tmp_path_factory.mktemp("runs"))


ROOT = Path(__file__).parents[1]
UNPACK = ROOT.parent / "shared" / "data" / "unpack"


@pytest.fixture(scope="session")
def real_data():
    """The folder with the real MNIST and CIFAR-10: $RMTL_DATA, or real-data here, unpacked once."""
    for folder in (Path(os.environ.get("RMTL_DATA") or ROOT / "real-data"), ROOT / "real-data"):
        if all(place(published, name, folder).is_file() for published in (MNIST, CIFAR10) for name in published.files):
            return folder
    if not UNPACK.exists():
        pytest.skip(f"no real MNIST and CIFAR-10 in $RMTL_DATA or {ROOT / 'real-data'}, and no {UNPACK} to unpack them")
    subprocess.run([sys.executable, UNPACK, ROOT / "real-data"], check=True, capture_output=True)
    return ROOT / "real-data"
