"""`Entry`: where on disk a tensor lies, and how it is read: one at a time, by plain reads, into memory of its own size."""

import math
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from rmtlottery.refusal import Refusal

if TYPE_CHECKING:
    import torch

BITS = {"bool": 8, "uint8": 8, "int8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64}
BITS |= {"float16": 16, "bfloat16": 16, "float32": 32, "float64": 64, "complex32": 32, "complex64": 64, "complex128": 128}
BITS |= {"float8_e4m3fn": 8, "float8_e5m2": 8, "float8_e4m3fnuz": 8, "float8_e5m2fnuz": 8, "float8_e8m0fnu": 8}
BITS |= {"float6_e2m3": 6, "float6_e3m2": 6, "float4": 4}
AXES = 64
PIECE = 1 << 20
LONGEST = 1000

T = TypeVar("T")
State = tuple[int, int, int]


@dataclass(frozen=True)
class Record:
    """Bytes of a file that were written together; `crc` is their CRC-32, or None where none was written."""

    path: Path
    start: int
    stop: int
    crc: int | None = None

    def whole(self) -> bool:
        """Whether the bytes have their checksum; a file that did not change is read for it once."""
        stat = self.path.stat()
        return self.crc is None or self.crc == checksum(self.path, self.start, self.stop, (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=4096)
def checksum(path: Path, start: int, stop: int, state: tuple[int, int]) -> int:
    """CRC-32 of the bytes from start to stop of a file in that state (time of change, size)."""
    found, left = 0, stop - start
    with open(path, "rb") as file:
        file.seek(start)
        while left and (piece := file.read(min(PIECE, left))):
            found, left = zlib.crc32(piece, found), left - len(piece)
    return found


@dataclass(frozen=True)
class Entry:
    """A tensor's type, as torch names it or in a word where torch has none, its shape and its bytes from start to stop.

    `strides` count entries, not bytes; without them the tensor lies in one piece, its last axis fastest. `state` is that of
    the file when it was surveyed; bytes of a file that is in another one by now are not read.
    """

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int
    strides: tuple[int, ...] | None = None
    record: Record | None = None
    state: State | None = None

    @property
    def where(self) -> str:
        return f"{shown(self.path)}: tensor {shown(self.name)}"

    def read(self) -> "torch.Tensor":
        with reading(self.path):
            self.unchanged()
            if self.record and not self.record.whole():
                raise Refusal(f"{self.where}: its bytes have another checksum than the one they were written with")
            flat = self.room()
            with open(self.path, "rb") as file:
                self.fill(flat, file)
            self.unchanged()
        return flat.view(self.shape) if self.strides is None else flat.as_strided(self.shape, self.strides).contiguous()

    def unchanged(self) -> None:
        if self.state is not None and self.state != state(self.path):
            raise Refusal(f"{self.where}: the file was changed after it was loaded; load it again")

    def room(self) -> "torch.Tensor":
        import torch

        if not isinstance(dtype := getattr(torch, self.dtype, None), torch.dtype):
            raise Refusal(f"{self.where}: {self.dtype} is not read")
        try:
            return torch.empty((self.stop - self.start) * 8 // BITS[self.dtype], dtype=dtype)
        except (RuntimeError, MemoryError):
            raise Refusal(f"{self.where}: there is no memory for its {self.stop - self.start} bytes") from None

    def fill(self, flat: "torch.Tensor", file: BinaryIO) -> None:
        import torch

        view, done = flat.view(torch.uint8).numpy().data, 0
        file.seek(self.start)
        while done < len(view):
            got = file.readinto(view[done:])  # type: ignore[attr-defined]
            if not got:
                raise Refusal(f"{self.where}: the file ends after {done} of its {len(view)} bytes")
            done += got


def sizes(value: Any) -> bool:
    """Whether it is a shape: whole numbers, none below zero or above what a tensor can have, on not too many axes."""
    if not isinstance(value, list | tuple) or len(value) > AXES:
        return False
    return all(type(size) is int and 0 <= size < 2**63 for size in value)


def length(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor in one piece."""
    return -(-math.prod(shape) * BITS[dtype] // 8)


def shown(text: Any) -> str:
    """A name on one line, whatever is in it."""
    plain = str(text)[: LONGEST + 1]
    if not plain.isprintable():
        plain = ascii(plain)[1:-1]
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}..."


def named(path: Path, given: Iterable[tuple[str, T]]) -> tuple[dict[str, T], list[str]]:
    """What is given, by names that are fit to be shown; and a sentence for each name that several of them have then."""
    pairs = [(shown(name), held) for name, held in given]
    times = Counter(name for name, _ in pairs)
    faults = [
        f"{shown(path)}: tensor {name}: {count} tensors have this name, and none is read"
        for name, count in times.items()
        if count > 1
    ]
    return {name: held for name, held in pairs if times[name] == 1}, faults


def regular(path: Path) -> None:
    """Refuses what is no file: a pipe or a device would be read for ever."""
    if not path.exists():
        raise Refusal(f"{shown(path)} is not there")
    if not path.is_file():
        raise Refusal(f"{shown(path)} is no file")


def state(path: Path) -> State:
    """What changes when a file is written again: time of change, size and inode."""
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A Refusal where the system does not let a file be read."""
    try:
        yield
    except OSError as error:
        raise Refusal(f"{shown(path)} cannot be read: {error.strerror or shown(error)}") from None
