"""Who does the work does not change it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import rmtlottery as rl
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.work.pool import executor


@pytest.fixture
def expected(tiny, tmp_path):
    run = rl.fit(tiny.but(levels=1), tmp_path / "here", threads=1, seed_batch=1)
    return {(ticket.seed, ticket.level): fingerprint(ticket.weights) for ticket in run}


def trained(spec, root, hands):
    """The hashes of every ticket that `hands` made."""
    run = rl.fit(spec.but(levels=1), root, threads=1, seed_batch=1, executor=hands)
    assert len(run.metrics) == 8
    return {(ticket.seed, ticket.level): fingerprint(ticket.weights) for ticket in run}


def test_one_worker_is_this_process():
    with executor(1) as hands:
        assert hands is None


def test_local_processes_give_the_same_bits(tiny, tmp_path, expected):
    with executor(2) as hands:
        assert trained(tiny, tmp_path / "pool", hands) == expected


def test_a_dask_cluster_of_several_threads_a_worker_gives_the_same_bits(tiny, tmp_path, expected, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the cluster extra")
    monkeypatch.chdir(tmp_path)
    local = distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None)
    with local as cluster, executor(cluster=cluster.scheduler_address) as hands:
        assert trained(tiny, Path("dask"), hands) == expected


def test_threads_that_share_a_process_take_turns(tiny, tmp_path, expected):
    with ThreadPoolExecutor(2) as hands:
        assert trained(tiny, tmp_path / "threads", hands) == expected


def test_a_unit_that_fails_fails_the_run(tiny, tmp_path, monkeypatch):
    from rmtlottery.train import levels

    def broken(*what):
        raise rl.Refusal("no such layer")

    monkeypatch.setattr(levels, "train", broken)
    with ThreadPoolExecutor(1) as hands, pytest.raises(rl.Refusal, match="no such layer"):
        rl.fit(tiny, tmp_path, executor=hands)


def test_a_silent_scheduler_is_refused_in_a_sentence(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the cluster extra")

    def silent(address, timeout):
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", silent)
    with (
        pytest.raises(rl.Refusal, match=r"no Dask scheduler answers at tcp://nowhere:1"),
        executor(cluster="tcp://nowhere:1"),
    ):
        pass


def test_no_workers_is_refused():
    with pytest.raises(rl.Refusal, match="workers = 0 is not at least 1"), executor(0):
        pass
