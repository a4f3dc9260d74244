"""Reads where the tensors of a file of `torch.save` lie: a zip of a pickle and of one uncompressed record a storage.

Each record has a CRC-32. The pickle's is checked when the file is opened, a storage's when a tensor in it is read; torch can
be told to write zeros there, which say nothing.
"""

import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import state_dict
from rmtlottery.tickets.entry import Entry, Record, reading, shown
from rmtlottery.tickets.pickles import Stranger, unpickled

LOCAL = struct.Struct("<4s5H3I2H")


def entries(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """Every tensor whose storage lies wholly in the file, and a sentence for each that does not."""
    with reading(path), open(path, "rb") as file:
        infos = directory(path, file)
        folder = root(path, infos)
        records, faults = {}, []
        for name, info in infos.items():
            try:
                records[name.removeprefix(folder)] = record(path, file, info)
            except ValueError as fault:
                faults.append(f"{shown(path)}: record {shown(name)}: {fault}")
        value = content(path, file, records, folder)
    storages = {name.removeprefix("data/"): held for name, held in records.items() if name.startswith("data/")}
    found, lost = state_dict.entries(path, value, storages)
    return found, faults + lost


def directory(path: Path, file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    """The records by name."""
    try:
        infos = zipfile.ZipFile(file).infolist()
    except (
        zipfile.BadZipFile,
        ValueError,
        LookupError,
        struct.error,
        EOFError,
        OverflowError,
        NotImplementedError,
    ) as error:
        raise Refusal(f"{shown(path)} is damaged: its zip directory is not whole ({shown(error)})") from None
    held = {info.filename: info for info in infos}
    if len(held) < len(infos):
        raise Refusal(f"{shown(path)} is damaged: its zip directory has two records of one name")
    return held


def root(path: Path, infos: dict[str, zipfile.ZipInfo]) -> str:
    """The folder in the zip that holds the pickle."""
    folders = [name.removesuffix("data.pkl") for name in infos if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(folders) != 1:
        raise Refusal(
            f"{shown(path)} is a zip that torch.save did not write: it holds {len(folders)} pickles of tensors, not one"
        )
    return folders[0]


def record(path: Path, file: BinaryIO, info: zipfile.ZipInfo) -> Record:
    """Where a record's bytes lie, by its own header, if that agrees with the directory."""
    file.seek(info.header_offset)
    start = file.read(LOCAL.size)
    if len(start) < LOCAL.size:
        raise ValueError("it lies beyond the end of the file")
    signature, *_, name, extra = LOCAL.unpack(start)
    if signature != b"PK\3\4" or file.read(name) != info.orig_filename.encode():
        raise ValueError("another one lies where the zip directory says that it is")
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.compress_size != info.file_size:
        raise ValueError("it is compressed or encrypted, and torch writes none that is")
    begin = info.header_offset + LOCAL.size + name + extra
    if begin + info.file_size > path.stat().st_size:
        raise ValueError("it goes beyond the end of the file")
    return Record(path, begin, begin + info.file_size, info.CRC or None)


def content(path: Path, file: BinaryIO, records: dict[str, Record], folder: str) -> object:
    """What the pickle holds, in notes."""
    pickle, order = records.get("data.pkl"), records.get("byteorder")
    if not pickle or not pickle.whole():
        raise Refusal(f"{shown(path)} is damaged: its record {shown(folder)}data.pkl is not what was written")
    if order and read(file, order) == b"big":
        raise Refusal(f"{shown(path)} was written with the most significant byte first, which is not read")
    file.seek(pickle.start)
    try:
        return unpickled(file, pickle.stop, state_dict.KNOWN)[0]
    except Stranger as found:
        raise state_dict.stranger(path, found) from None
    except ValueError as error:
        raise Refusal(f"{shown(path)} is damaged: {shown(error)}, in its record {shown(folder)}data.pkl") from None


def read(file: BinaryIO, record: Record) -> bytes:
    file.seek(record.start)
    return file.read(min(record.stop - record.start, 8))
