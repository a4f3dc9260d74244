"""Gets a published set: several mirrors, resume, and nothing in place before its MD5 is right."""

import hashlib
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

from rmtlottery.datasets.files import intact, place
from rmtlottery.datasets.published import Published
from rmtlottery.datasets.transfer import Broken, Fault, size, transfer
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import write

TRIES = 20
LARGEST_MEMBER = 1 << 28


def download(published: Published, root: Path, mirrors: Sequence[str] = ()) -> list[Path]:
    """The files that were missing or damaged below `root` and are there now; `mirrors` come before the published ones."""
    wanted = {name: place(published, name, root) for name in missing(published, root)}
    urls = [*(with_slash(mirror) for mirror in mirrors), *published.mirrors]
    if wanted and published.archive:
        part = root / f"{published.archive}.part"
        fetch(published.archive, published.archive_md5, part, urls)
        unpack(part, published, wanted)
        part.unlink()
    elif wanted:
        for name, path in wanted.items():
            part = path.with_name(f"{name}.part")
            fetch(name, published.files[name], part, urls)
            os.replace(part, path)
    return list(wanted.values())


def missing(published: Published, root: Path) -> list[str]:
    """The files that are not there, or not with their MD5."""
    return [name for name, md5 in published.files.items() if not intact(place(published, name, root), md5)]


def with_slash(mirror: str) -> str:
    if not mirror.startswith(("http://", "https://")):
        raise Refusal(f"the mirror {mirror!r} is no address that begins with http:// or https://")
    return mirror if mirror.endswith("/") else f"{mirror}/"


def fetch(name: str, md5: str, part: Path, mirrors: Sequence[str]) -> None:
    """The file in `part`, from the first mirror that has the right one."""
    faults = []
    for mirror in mirrors:
        try:
            return from_mirror(mirror + name, md5, part)
        except Fault as fault:
            faults.append(f"{mirror} {fault}")
    raise Refusal(f"no mirror gives {name}: {'; '.join(faults)}; try later, or name one that works with --mirror")


def from_mirror(url: str, md5: str, part: Path) -> None:
    """Go on after each break as long as bytes come, and begin anew where what an earlier attempt left was wrong."""
    for _ in range(TRIES):
        held = size(part)
        if intact(part, md5):
            return
        try:
            transfer(url, part)
        except Broken:
            if size(part) <= held:
                raise
            continue
        if not intact(part, md5):
            part.unlink()
            if not held:
                raise Fault(f"sends another file than the one with MD5 {md5}")
    raise Fault(f"broke off {TRIES} times")


def unpack(archive: Path, published: Published, wanted: dict[str, Path]) -> None:
    """Only wanted regular members of the right MD5 are taken, to where we say; no path of the archive is believed."""
    left = dict(wanted)
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                name = member.name.removeprefix(f"{published.folders[0]}/")
                if name in left and right(content := taken(tar, member), published.files[name]):
                    write(left.pop(name), content)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise Refusal(f"{archive} is no tar archive that can be read ({error}); remove it and try again") from None
    if left:
        raise Refusal(f"{archive} holds no right {', '.join(left)}; remove it and try again")


def taken(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """A sparse member of a few bytes can claim to be terabytes."""
    if not member.isreg() or member.issparse() or member.size > LARGEST_MEMBER:
        return b""
    file = tar.extractfile(member)
    return file.read() if file else b""


def right(content: bytes, md5: str) -> bool:
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == md5
