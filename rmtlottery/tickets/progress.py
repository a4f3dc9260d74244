"""A level in the middle of its training, so that a kill costs seconds."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import disk
from rmtlottery.tickets.lock import locked

if TYPE_CHECKING:
    import torch


class Progress:
    """The latest checkpoint of each unfinished level of one unit. A damaged one is as good as none."""

    def __init__(self, run_path: Path, unit: str) -> None:
        self.stem = run_path / "progress" / unit

    def path(self, level: int) -> Path:
        return self.stem.with_name(f"{self.stem.name}-level-{level:02d}.safetensors")

    def save(self, level: int, facts: dict[str, Any], tensors: "dict[str, torch.Tensor]") -> None:
        """One file, so that facts and tensors are of one moment."""
        disk.write_tensors(self.path(level), tensors, facts | {"sha256": disk.fingerprint(tensors)})

    def load(self, level: int) -> "tuple[dict[str, Any], dict[str, torch.Tensor]] | None":
        try:
            facts, tensors = disk.read_facts(self.path(level)), disk.read_tensors(self.path(level))
        except (FileNotFoundError, Refusal):
            return None
        return (facts, tensors) if facts and facts.get("sha256") == disk.fingerprint(tensors) else None

    def clear(self, level: int) -> None:
        self.path(level).unlink(missing_ok=True)

    def clear_others(self, prefix: str) -> None:
        """Remove checkpoints of units whose names begin so, but for this one's: nobody can take them up any more."""
        for path in self.stem.parent.glob(f"{prefix}*.safetensors"):
            if not path.name.startswith(f"{self.stem.name}-"):
                path.unlink(missing_ok=True)

    def locked(self) -> AbstractContextManager[None]:
        """Only one process trains a unit."""
        run = self.stem.parent.parent
        return locked(self.stem.with_suffix(".lock"), f"{run} is being trained by another process; wait for it or stop it")
