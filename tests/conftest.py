"""Shared by the tests: statistical assertions that must refuse a near miss, and small runs."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rmtlottery as rl
from rmtlottery.datasets.files import place
from rmtlottery.datasets.published import CIFAR10, MNIST
from rmtlottery.nets import build
from rmtlottery.nets.init import initial
from tests.prune.held import handmade


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


OF_FC = {"small_dense", "aligned_mask", "local_mask", "local_init_mask"}
CONV = TINY.but(
    net={"kind": "conv", "channels": "5,3", "padding": "zero", "pools": "1", "readout": "flat", "widths": "7"},
    epochs=1,
    levels=2,
    batch=200,
)


@pytest.fixture(scope="session")
def conv_run(tmp_path_factory):
    """A finished run of small convolutions; no test may write into it."""
    return rl.fit(CONV, tmp_path_factory.mktemp("conv"))


@pytest.fixture(scope="session")
def wide():
    """A ticket that never was trained, of a net wide enough for statistics, its small weights cut."""
    spec = TINY.but(widths="150,90", init={"sigma_w": 1.7, "sigma_b": 0.6})
    start = initial(spec.init, build(spec.net, (64,), 10).shapes, 3)
    mask = {name: value.abs() > value.abs().quantile(0.7) for name, value in start.items() if name.endswith("weight")}
    return handmade(spec, start, mask)


@pytest.fixture(params=["fc", "conv"])
def parent(request, tiny_run, conv_run):
    """A ticket that controls are made of; of those for fully connected nets alone, such a one both times."""
    takes_conv = request.node.callspec.params.get("name") not in OF_FC
    return conv_run[0, 2] if request.param == "conv" and takes_conv else tiny_run[1, 3]


ROOT = Path(__file__).parents[1]
UNPACK = ROOT.parent / "shared" / "data" / "unpack"


@pytest.fixture(scope="session")
def real_data(tmp_path_factory):
    """The folder with the real MNIST and CIFAR-10: $RMTL_DATA, or real-data here, unpacked once by one worker."""
    with open(tmp_path_factory.getbasetemp().parent / "real-data.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in (Path(os.environ.get("RMTL_DATA") or ROOT / "real-data"), ROOT / "real-data"):
            if all(place(published, name, folder).is_file() for published in (MNIST, CIFAR10) for name in published.files):
                return folder
        if not UNPACK.exists():
            pytest.skip(f"no real MNIST and CIFAR-10 in $RMTL_DATA or {ROOT / 'real-data'}, and no {UNPACK} to unpack them")
        subprocess.run([sys.executable, UNPACK, ROOT / "real-data"], check=True, capture_output=True)
        return ROOT / "real-data"
