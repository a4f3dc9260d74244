"""Who does the units of work: this process, a local pool of processes, or a Dask cluster. Never what they are."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from rmtlottery.refusal import Refusal


@contextmanager
def executor(workers: int = 1, cluster: str | None = None) -> Iterator[Executor | None]:
    """A concurrent.futures.Executor for `cluster` (a scheduler's address) or for several workers; None for one."""
    if workers < 1:
        raise Refusal(f"workers = {workers} is not at least 1")
    if cluster:
        with dask_client(cluster) as client:
            yield client.get_executor()
    elif workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
    else:
        yield None


@contextmanager
def dask_client(address: str):  # type: ignore[no-untyped-def]
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
