"""Writes that training does not wait for: handed to a thread, one at a time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Behind:
    """What fails is raised where the next write is handed over, or awaited."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)
        self.last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.pool.shutdown(wait=True)
        if kind is None:
            self.wait()

    def hand(self, work: Callable[[], None]) -> None:
        """Have it done once what was handed over before is."""
        self.wait()
        self.last = self.pool.submit(work)

    def wait(self) -> None:
        last, self.last = self.last, None
        if last:
            last.result()
