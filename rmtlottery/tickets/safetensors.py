"""Reads where the tensors of a .safetensors file lie: 8 bytes that give the header's length, the header in JSON, the data.

The format has no checksum: a flipped bit in the data is seen only where it makes a NaN or an infinity.
"""

import math
import re
from pathlib import Path
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.entry import BITS, Entry, named, reading, shown, sizes
from rmtlottery.tickets.json_object import LIMIT, Object, parse

DTYPES = {"BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "I32": "int32", "U32": "uint32"}
DTYPES |= {"I64": "int64", "U64": "uint64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
DTYPES |= {"C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu"}
DTYPES |= {"F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"}
DTYPES |= {"F6_E2M3": "float6_e2m3", "F6_E3M2": "float6_e3m2", "F4": "float4"}


def entries(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """Every tensor that lies wholly in the file, layer 2 before layer 10, and a sentence for each that does not.

    The order of the bytes says nothing: the usual writer sorts by type and then by letter.
    """
    with reading(path):
        size = path.stat().st_size
        base, claims = header(path, size)
    own = {name: claim for name, claim in claims.items() if name != "__metadata__" and name not in claims.twice}
    once, alike = named(path, own.items())
    twice = [f"{shown(path)}: tensor {shown(name)}: it is in the header more than once" for name in sorted(claims.twice)]
    found, faults = {}, twice + alike
    for name in sorted(once):
        try:
            found[name] = entry(path, name, once[name], base, size)
        except ValueError as fault:
            faults.append(f"{shown(path)}: tensor {shown(name)}: {fault}")
    for name in overlapping(found):
        faults.append(f"{found.pop(name).where}: its bytes are also those of another tensor")
    if not faults and sum(held.stop - held.start for held in found.values()) != size - base:
        faults.append(f"{shown(path)}: it holds bytes that belong to no tensor")
    return {name: found[name] for name in sorted(found, key=counted)}, faults


def counted(name: str) -> list[tuple[int, str]]:
    """Orders names as a person counts: runs of digits by their value."""
    parts = re.split("([0-9]+)", name)
    values = [part.lstrip("0") if place % 2 else "" for place, part in enumerate(parts)]
    return [(len(value), value or part) for value, part in zip(values, parts, strict=True)]


def header(path: Path, size: int) -> tuple[int, Object]:
    """Where the data begin, and what the header claims."""
    with open(path, "rb") as file:
        count = int.from_bytes(file.read(8), "little")
        if not 2 <= count <= min(LIMIT, size - 8):
            raise Refusal(f"{shown(path)} is damaged: a header of {count} bytes is promised, and the file has {size}")
        content = file.read(count)
    try:
        return 8 + count, parse(content)
    except ValueError as error:
        raise Refusal(f"{shown(path)} is damaged: its header is not JSON ({shown(error)})") from None


def entry(path: Path, name: str, claim: Any, base: int, size: int) -> Entry:
    """One claim of the header, believed only as far as the file bears it out."""
    if not isinstance(claim, Object) or claim.twice or set(claim) != {"dtype", "shape", "data_offsets"}:
        raise ValueError("its entry is not one dtype, one shape and one pair of offsets")
    dtype, shape, offsets = claim["dtype"], claim["shape"], claim["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"its dtype {shown(dtype) if isinstance(dtype, str) else 'is no text and'} is unknown")
    if not sizes(shape):
        raise ValueError("its shape is no list of sizes")
    if not sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ValueError("its offsets are no beginning and end")
    bits, promised = math.prod(shape) * BITS[DTYPES[dtype]], offsets[1] - offsets[0]
    if bits != 8 * promised:
        raise ValueError(f"{dtype} of shape {shown(shape)} does not take the {promised} bytes that it is given")
    if base + offsets[1] > size:
        raise ValueError(f"it ends at byte {base + offsets[1]} of a file of {size}")
    return Entry(path, name, DTYPES[dtype], tuple(shape), base + offsets[0], base + offsets[1])


def overlapping(found: dict[str, Entry]) -> list[str]:
    """Names of tensors that share bytes: which of them is right cannot be known."""
    shared, reach = set(), None
    for held in sorted((held for held in found.values() if held.stop > held.start), key=lambda held: held.start):
        if reach and held.start < reach.stop:
            shared |= {held.name, reach.name}
        reach = held if not reach or held.stop > reach.stop else reach
    return sorted(shared)
