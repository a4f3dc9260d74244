"""Who does the units of work: this process, a local pool of processes, or a Dask cluster. Never what they are."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any

from rmtlottery.refusal import Refusal

PR_SET_PDEATHSIG = 1


@contextmanager
def executor(workers: int = 1, cluster: str | None = None) -> Iterator[Executor | None]:
    """A concurrent.futures.Executor for `cluster` (a scheduler's address) or for several workers; None for one."""
    if workers < 1:
        raise Refusal(f"workers = {workers} is not at least 1")
    if cluster:
        with dask_client(cluster) as client:
            yield client.get_executor()
    elif workers > 1:
        with local_pool(workers) as pool:
            yield pool
    else:
        yield None


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """Processes that end when this one does; an exception here interrupts them, and they save what they have."""
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=die_with, initargs=(os.getpid(),)
    ) as pool:
        try:
            yield pool
        except BrokenExecutor:
            raise Refusal("a worker died; run the same command again: training goes on from its last checkpoint") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                os.kill(child.pid or 0, signal.SIGINT)
            raise


def die_with(parent: int) -> None:
    """Ask the kernel, where it can be asked, to end this process with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def dask_client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise Refusal(f"cluster = {address} needs Dask: pip install 'rmtlottery[cluster]'") from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise Refusal(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        yield client
