"""A checkpoint that nobody here trained, in the place of a run: one ticket, of the layers that were asked for."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.foreign import is_checkpoint, load
from rmtlottery.tickets.layout import nearby
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket

AT_MOST = 8


class Checkpoint:
    """The ticket of a state_dict on disk; `mask` is another one with the masks, `layers` a pattern of names."""

    def __init__(self, path: str | Path, mask: str | Path | None = None, layers: str = "*") -> None:
        self.path = Path(path)
        whole = load(self.path, mask=mask)
        names = [name for name in whole.mask if fnmatchcase(name, layers)]
        if not names:
            some = ", ".join(list(whole.mask)[:AT_MOST])
            raise Refusal(f"{path} has no layer that fits --layers {layers!r}; some that it has: {some}")
        self.ticket = whole.only(*names) if len(names) < len(whole.mask) else whole

    def __iter__(self) -> Iterator[Ticket]:
        yield self.ticket

    def faults(self) -> list[str]:
        return list(self.ticket.record["faults"])

    def skipped(self) -> list[str]:
        """A line for every reason why a tensor is no layer."""
        reasons: dict[str, list[str]] = {}
        for held in self.ticket.record["skipped"]:
            reasons.setdefault(held["why"], []).append(held["tensor"])
        return [f"{self.path.name}: {named(names)}: {why}" for why, names in reasons.items()]

    def lead(self) -> str:
        masks = self.ticket.mask
        sizes = [masks[name].numel() for name in masks]
        masked = f", density {self.ticket.density:.1%} where it is masked" if self.ticket.density < 1 else ""
        return f"{len(sizes)} layers of {self.path.name}, {sum(sizes):,} weights{masked}"


def named(names: list[str]) -> str:
    shown = names if len(names) <= AT_MOST else [*names[: AT_MOST - 1], f"{len(names) - AT_MOST + 1} more"]
    return f"{'each of ' if len(names) > 1 else ''}{', '.join(shown)}"


def either(path: str | Path, mask: str | Path | None = None, layers: str | None = None) -> Run | Checkpoint:
    """The run in a folder, or else the checkpoint."""
    if not Path(path).exists():
        raise Refusal(f"{path} is not there{nearby(Path(path))}")
    if is_checkpoint(path):
        return Checkpoint(path, mask, layers or "*")
    if mask or layers:
        raise Refusal(f"--mask and --layers are for checkpoints, and {path} is none; a run knows its masks")
    return Run(path)
