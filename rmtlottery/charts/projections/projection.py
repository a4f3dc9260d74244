"""`Projection`: P of D rows and d columns, from a seed, and its adjoint."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint

Held = dict[str, torch.Tensor]
WIDE = 2**15  # weights from which on rows are mapped one by one on a CPU
Product = Callable[[torch.Tensor], torch.Tensor]


class Projection(ABC):
    """What every kind keeps to.

    Columns have unit norm over all D rows, exactly or in expectation, whatever d is: a step in theta is as long among the
    weights. `adjoint` is the adjoint. Columns are drawn one by one, so that P of d columns is the first d of a wider
    one, where `nested`. A kind is `implicit` if it holds O(D) numbers. Rows of many weights are mapped one by one,
    in reach of the caches, but `together` where that is quicker. What theory of several takes columns for is their `law`:
    gaussian, orthonormal, or axes of single weights.
    """

    kind: ClassVar[str]
    law: ClassVar[str] = "gaussian"
    nested: ClassVar[bool] = True
    implicit: ClassVar[bool] = False
    together: ClassVar[bool] = False

    def __init__(self, ambient: int, dim: int, seed: int) -> None:
        self.ambient, self.dim, self.seed, self.device = ambient, dim, seed, torch.device("cpu")
        check_room(self)

    def __repr__(self) -> str:
        return f"projection({self.kind!r}, ambient={self.ambient}, dim={self.dim}, seed={self.seed})"

    @cached_property
    def held(self) -> Held:
        """What is drawn, when it is first asked for."""
        return {name: tensor.to(self.device) for name, tensor in self.draw().items()}

    @abstractmethod
    def draw(self) -> Held:
        """All that is drawn or follows from it, on the CPU."""

    @abstractmethod
    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        """P theta for each row of theta."""

    @abstractmethod
    def back(self, g: torch.Tensor) -> torch.Tensor:
        """P^T g for each row of g."""

    @property
    def size(self) -> int:
        """Bytes that it takes to make."""
        return 64 * self.ambient

    def apply(self, theta: torch.Tensor) -> torch.Tensor:
        """P theta, (..., d) -> (..., D), reckoned in float32."""
        return self.over(theta, self.dim, self.ambient, self.forward)

    def adjoint(self, g: torch.Tensor) -> torch.Tensor:
        """P^T g, (..., D) -> (..., d), reckoned in float32."""
        return self.over(g, self.ambient, self.dim, self.back)

    def over(self, x: torch.Tensor, length: int, becomes: int, product: Product) -> torch.Tensor:
        if x.shape[-1:] != (length,):
            raise Refusal(f"{self} takes vectors of length {length} here, not of shape {tuple(x.shape)}")
        if not x.is_floating_point():
            raise Refusal(f"{self} takes floating-point numbers, not {x.dtype}")
        if not x.numel():
            return x.new_zeros(*x.shape[:-1], becomes)
        rows = x.reshape(-1, length).float()
        alone = self.ambient > WIDE and not self.together and rows.device.type == "cpu" and len(rows) > 1
        with torch.autocast(rows.device.type, enabled=False):
            made = torch.cat([product(row) for row in rows.split(1)]) if alone else product(rows)
        return made.reshape(*x.shape[:-1], becomes).to(x.dtype)

    def to(self, device: torch.device | str) -> "Projection":
        """The same on another device; nothing is drawn for it."""
        moved = copy(self)
        moved.device = torch.device(device)
        if "held" in vars(self):
            moved.held = {name: tensor.to(device) for name, tensor in self.held.items()}
        return moved

    def witness(self) -> Held:
        """What tells it from others."""
        return self.held

    @cached_property
    def fingerprint(self) -> str:
        """A mark of what was drawn, which another seed, or another version of the generator, does not give."""
        words = f"{self.kind} {self.ambient} {self.dim} {fingerprint(self.witness())}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]


def check_room(projection: Projection) -> None:
    """Refuses what memory has no room for, before it is asked for."""
    room = free()
    if room is not None and projection.size > room:
        advice = "" if projection.implicit else ": take fastfood, which holds no more than the weights themselves"
        needed = f"{projection} takes {projection.size / 1e9:.3g} GB to make"
        raise Refusal(f"{needed}, and {room / 1e9:.3g} GB are free{advice}")


def free() -> int | None:
    """Bytes of memory that can be had, where the system says so."""
    told = Path("/proc/meminfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable")), None)
