"""One file from one server into a `.part`, from where an earlier attempt stopped."""

import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TIMEOUT = 30.0
CHUNK = 1 << 18
MOST = 1 << 30
FAULTS = (OSError, HTTPException, ValueError)


class Fault(Exception):
    """What a server did wrong, in a few words."""


class Beyond(Fault):
    """The server has no byte so late in the file."""


class Broken(Fault):
    """The connection ended before the file did; what came is in the `.part`."""


def transfer(url: str, part: Path, timeout: float = TIMEOUT) -> None:
    """Append what is missing to `part`, or write it anew when the server does not go on where `part` ends."""
    response, start = answer(url, size(part), timeout)
    with closing(response):
        length = response.headers.get("Content-Length") or ""
        whole = start + int(length) if length.isdigit() else None
        receive(response, part, start, whole)
    if whole is not None and size(part) != whole:
        raise Broken(f"broke off after {size(part)} of {whole} bytes")


def answer(url: str, start: int, timeout: float) -> tuple[Any, int]:
    """The server's response, and the byte that it starts from: the one asked for, else 0."""
    if start:
        try:
            response = opened(url, {"Range": f"bytes={start}-"}, timeout)
        except Beyond:
            return answer(url, 0, timeout)
        if response.status == 200 or (response.status == 206 and first_byte(response) == start):
            return response, start if response.status == 206 else 0
        response.close()
    response = opened(url, {}, timeout)
    if response.status != 200:
        response.close()
        raise Fault(f"answered {response.status} to a plain request")
    return response, 0


def opened(url: str, headers: dict[str, str], timeout: float) -> Any:
    try:
        return urlopen(Request(url, headers={"User-Agent": "rmtlottery"} | headers), timeout=timeout)
    except HTTPError as error:
        error.close()
        kind = Beyond if error.code == 416 else Fault
        raise kind(f"answered {error.code} {error.reason}") from None
    except FAULTS as error:
        raise Fault(str(getattr(error, "reason", error)) or type(error).__name__) from None


def first_byte(response: Any) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
    return int(found[1]) if found else None


def receive(response: Any, part: Path, start: int, whole: int | None) -> None:
    """Write what comes as it comes: Ctrl-C at any time leaves a `.part` to go on from."""
    from tqdm import tqdm

    part.parent.mkdir(parents=True, exist_ok=True)
    bar = tqdm(desc=part.stem, initial=start, total=whole, unit="B", unit_scale=True, disable=None)
    with bar, open(part, "ab" if start else "wb", buffering=0) as file:
        for chunk in chunks(response):
            file.write(chunk)
            bar.update(len(chunk))
            if file.tell() > MOST:
                raise Fault(f"sends more than {MOST} bytes")


def chunks(response: Any) -> Iterator[bytes]:
    """Only the reading is inside the `try`: a full disk is no fault of the server."""
    while True:
        try:
            chunk = response.read(CHUNK)
        except FAULTS as error:
            raise Broken(f"broke off: {error or type(error).__name__}") from None
        if not chunk:
            return
        yield chunk


def size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
