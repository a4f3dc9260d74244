"""`Unit`: the piece of work that one process does, and all that its bits depend on besides the Spec."""

import hashlib
import os
import platform
import re
from dataclasses import asdict, dataclass
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.work.machine import tf32

SPARSE = {"fp32": 0.15, "bf16": 0.1}


@dataclass(frozen=True)
class Unit:
    """Seeds trained side by side on one device. Two runs of one unit on the same kind of machine agree bit for bit.

    `sparse` is the density at or below which a CPU multiplies the kept weights of a large fully connected chain only.
    """

    seeds: tuple[int, ...]
    device: str = "cpu"
    threads: int = 1
    precision: str = "fp32"
    sparse: float = 0.0

    def __post_init__(self) -> None:
        if self.precision not in ("fp32", "bf16"):
            raise Refusal(f"precision = {self.precision!r} is not fp32 or bf16")
        if not isinstance(self.threads, int) or self.threads < 1:
            raise Refusal(f"threads = {self.threads!r} is not a whole number of at least 1")
        if not isinstance(self.sparse, int | float) or not 0 <= self.sparse <= 1:
            raise Refusal(f"sparse = {self.sparse!r} is no density between 0 and 1")
        if not isinstance(self.device, str) or not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            raise Refusal(f"device = {self.device!r} is not cpu, cuda or cuda:NUMBER")

    @property
    def name(self) -> str:
        """Short whatever the number of seeds."""
        words = "-".join(map(str, self.seeds))
        mark = hashlib.sha256(words.encode()).hexdigest()[:8]
        return f"seeds-{words}" if len(self.seeds) < 6 else f"seeds-{self.seeds[0]}-and-{len(self.seeds) - 1}-more-{mark}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"seeds": list(self.seeds)}

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> "Unit":
        return cls(**(held | {"seeds": tuple(held["seeds"])}))


def sparse_by_default(device: str, precision: str) -> float:
    """Where sparse steps were found to pay (`python -m benchmarks step`): nowhere on a GPU, nor without MKL."""
    import torch

    return SPARSE[precision] if device == "cpu" and torch.backends.mkl.is_available() else 0.0


def cores() -> int:
    """Processors this process may use: $OMP_NUM_THREADS, or all that it is not kept from."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told):
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_device(device: str) -> None:
    """Refuses a device that this machine does not have."""
    import torch

    number = int(device.partition(":")[2] or 0)
    if device != "cpu" and number >= torch.cuda.device_count():
        raise Refusal(f"device = {device!r} is not on this machine ({torch.cuda.device_count()} GPUs); take --device cpu")


def check_sparse(unit: Unit) -> None:
    """Refuses sparse steps where torch was built without MKL, which multiplies kept weights."""
    import torch

    if unit.sparse and unit.device == "cpu" and not torch.backends.mkl.is_available():
        raise Refusal(f"sparse = {unit.sparse:g} needs a torch that was built with MKL; take --sparse 0")


def provenance() -> dict[str, str]:
    """What the bits of a result may depend on besides the Spec and the Unit."""
    import numpy
    import torch

    import rmtlottery

    return {
        "rmtlottery": rmtlottery.__version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "tf32": tf32(),
    }
