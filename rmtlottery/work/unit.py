"""`Unit`: the piece of work that one process does, and all that its bits depend on besides the Spec."""

import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

from rmtlottery.refusal import Refusal


@dataclass(frozen=True)
class Unit:
    """Seeds trained side by side on one device. Two runs of one unit on the same kind of machine agree bit for bit."""

    seeds: tuple[int, ...]
    device: str = "cpu"
    threads: int = 1
    precision: str = "fp32"

    def __post_init__(self) -> None:
        if self.precision not in ("fp32", "bf16"):
            raise Refusal(f"precision = {self.precision!r} is not fp32 or bf16")
        if self.threads < 1:
            raise Refusal(f"threads = {self.threads} is not at least 1")

    @property
    def name(self) -> str:
        return "seeds-" + "-".join(map(str, self.seeds))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"seeds": list(self.seeds)}

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> "Unit":
        return cls(**(held | {"seeds": tuple(held["seeds"])}))


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def provenance() -> dict[str, str]:
    """What the bits of a result may depend on besides the Spec and the Unit."""
    import torch

    import rmtlottery

    return {
        "rmtlottery": rmtlottery.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
    }
