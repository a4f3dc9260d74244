"""Files of the project's `data` folder, checked at every read."""

import hashlib
from pathlib import Path

from rmtlottery.refusal import Refusal


def bundled(name: str) -> Path:
    """Where such a file lies: inside the package once installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data", package.parent / "data"):
        if (folder / name).is_file():
            return checked(folder / name)
    raise Refusal(f"the bundled {name} is missing from {package / 'data'} and {package.parent / 'data'}; install again")


def checked(path: Path) -> Path:
    line = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
    if line not in (path.parent / "SHA256SUMS").read_text().splitlines():
        raise Refusal(f"{path} is not the file that SHA256SUMS beside it describes; install again")
    return path
