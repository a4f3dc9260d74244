"""Where published files lie, and their bytes once the MD5 is right."""

import hashlib
import os
from pathlib import Path

from rmtlottery.datasets.published import Published
from rmtlottery.refusal import Refusal

GET = "python -m rmtlottery.datasets get"


def root() -> Path:
    """The folder of all data: $RMTL_DATA, or ~/.cache/rmtlottery."""
    return Path(os.environ.get("RMTL_DATA") or "~/.cache/rmtlottery").expanduser()


def place(published: Published, name: str, folder: Path) -> Path:
    """The file below `folder`, in the first layout that has it; where it should be, if none has."""
    places = [folder / layout / name for layout in published.folders]
    return next((path for path in places if path.is_file()), places[0])


def read(published: Published, name: str) -> bytes:
    """The very bytes whose MD5 was checked: the file is read once, so that nothing can be put in its place between."""
    path = place(published, name, root())
    if not path.is_file():
        what = f"{published.name} is not in {root()}: {path.relative_to(root())} is missing"
        raise Refusal(f"{what}; get it with `{GET} {published.name}`, or set RMTL_DATA to the folder that has it")
    content = path.read_bytes()
    found, wanted = hashlib.md5(content, usedforsecurity=False).hexdigest(), published.files[name]
    if found != wanted:
        raise Refusal(f"{path} has MD5 {found}, the published file {wanted}; replace it with `{GET} {published.name}`")
    return content


def intact(path: Path, md5: str) -> bool:
    """Whether a file is there with this MD5."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5
