"""One file of tensors, by what is in it and not by how it is called."""

from dataclasses import replace
from pathlib import Path

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import safetensors, torch_legacy, torch_zip
from rmtlottery.tickets.entry import Entry, reading, regular, shown, state


def entries(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """The tensors that can be read, and a sentence for each that cannot."""
    with reading(path):
        regular(path)
        before = state(path)
    found, faults = survey(path)
    return {name: replace(held, state=before) for name, held in found.items()}, faults


def survey(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """The same by the reader of the file's format."""
    with reading(path), open(path, "rb") as file:
        start = file.read(16)
    if start[:4] == b"PK\3\4":
        return torch_zip.entries(path)
    if start[8:9] == b"{":
        return safetensors.entries(path)
    if start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return torch_legacy.entries(path)
    raise Refusal(f"{shown(path)} is neither a whole .safetensors file nor one of torch.save: it begins with {start[:9]!r}")
