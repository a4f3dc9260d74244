"""One process at a time: a lock that dies with its holder, however it dies."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rmtlottery.refusal import Refusal


@contextmanager
def locked(path: Path, refusal: str = "") -> Iterator[None]:
    """Hold the lock on `path`; where another process holds it, refuse with `refusal`, or wait if there is none."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if refusal else 0))
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise Refusal(refusal) from None
        yield
