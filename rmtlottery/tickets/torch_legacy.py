"""Reads where the tensors of a file that `torch.save` wrote before 1.6 lie: five pickles, then every storage.

The format has no checksum: a flipped bit in the data is seen only where it makes a NaN or an infinity.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import state_dict
from rmtlottery.tickets.entry import BITS, Entry, Record, reading, shown
from rmtlottery.tickets.pickles import ROOM, Outside, Stranger, unpickled

MAGIC = 0x1950A86A20F9469CFC6C
LITTLE = 100_000


def entries(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """Every tensor whose storage lies wholly in the file, and a sentence for each that does not."""
    with reading(path), open(path, "rb") as file:
        size = path.stat().st_size
        value, outside, keys = content(path, file, size)
        records = storages(path, file, size, keys, widths(outside))
    return state_dict.entries(path, value, records)


def content(path: Path, file: BinaryIO, size: int) -> tuple[Any, list[Outside], list[str]]:
    """What the pickle of tensors holds, in notes, and the storages in the order in which they follow it."""
    try:
        if unpickled(file, size, room=LITTLE)[0] != MAGIC:
            raise ValueError("it begins with a pickle that torch.save did not write")
        _version, system = (unpickled(file, size, room=LITTLE)[0] for _ in range(2))
        value, outside = unpickled(file, size, state_dict.KNOWN)
        keys = unpickled(file, size, room=ROOM // 4)[0]
    except Stranger as found:
        raise state_dict.stranger(path, found) from None
    except ValueError as error:
        raise Refusal(f"{shown(path)} is damaged: {shown(error)}") from None
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Refusal(f"{shown(path)} was written with the most significant byte first, which is not read")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Refusal(f"{shown(path)} is damaged: its list of storages is none")
    return value, outside, keys


def widths(outside: list[Outside]) -> dict[str, int]:
    """Bytes of an entry of each storage that the pickle names."""
    found = {}
    for note in outside:
        with suppress(ValueError):
            kind, key = state_dict.storage_of(note)
            found[key] = BITS[state_dict.STORAGES[kind]] // 8
    return found


def storages(path: Path, file: BinaryIO, size: int, keys: list[str], widths: dict[str, int]) -> dict[str, Record]:
    """The storages by key, up to the first that is not whole: where the next would begin cannot be known."""
    found = {}
    for key in keys:
        width, start = widths.get(key, 0), file.tell() + 8
        stop = start + width * int.from_bytes(file.read(8), "little")
        if not width or stop > size:
            break
        found[key] = Record(path, start, stop)
        file.seek(stop)
    return found
