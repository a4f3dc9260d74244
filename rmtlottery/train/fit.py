"""`fit`: make a run, or finish it."""

import os
from concurrent.futures import Executor, as_completed
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.run import Run, alone
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.bar import Bar
from rmtlottery.train.imp import Imp
from rmtlottery.train.plan import check_plan, steps_a_level
from rmtlottery.work.unit import Unit, check_device, cores

ONE_AT_A_TIME = Lock()


def fit(
    spec: Spec,
    root: str | Path | None = None,
    *,
    device: str | None = None,
    threads: int | None = None,
    precision: str | None = None,
    seed_batch: int | None = None,
    executor: Executor | None = None,
) -> Run:
    """Train every level of every seed in root/NAME (root: $RMTL_RUNS, or ./runs); what is there already stays.

    device, threads, precision (fp32, or bf16 with fp32 masters) and seed_batch (seeds trained side by side, all by
    default) are recorded when seeds are first taken up, and a resume repeats them; it may be told another device,
    threads or precision, but what is begun is not divided anew.
    `executor` takes the batches of seeds, if they are not to be trained one after another here.
    """
    if not isinstance(spec, Spec):
        raise Refusal(f"{spec!r} is no Spec; rl.preset({str(spec)!r}) makes one of a preset's name")
    check_plan(spec)
    run = Run.open(root or default_root(), spec)
    chosen = {"device": device, "threads": threads, "precision": precision}
    with alone(run.path):
        units = divide(run, {name: value for name, value in chosen.items() if value is not None}, seed_batch)
    steps = (run.spec.prune.levels + 1) * steps_a_level(run.spec)
    with Bar(run.path.name, steps, len(units)) as bar:
        if executor is None:
            for unit in units:
                Imp(run, unit, bar.step).go()
                bar.unit_done()
        else:
            for done in as_completed([executor.submit(train_unit, str(run.path.resolve()), unit) for unit in units]):
                done.result()
                bar.unit_done()
    run.write_tables()
    return run


def train_unit(path: str, unit: Unit) -> None:
    """One unit of a run, in whatever process this is, one at a time there; idempotent, its result is on disk."""
    with ONE_AT_A_TIME:
        Imp(Run(path), unit, lambda level, state: None).go()


def default_root() -> Path:
    """The folder that runs are kept in."""
    return Path(os.environ.get("RMTL_RUNS", "runs"))


def divide(run: Run, chosen: dict[str, Any], seed_batch: int | None) -> list[Unit]:
    """The run's units: those it has, as they were begun or as now chosen, then new ones, recorded, for new seeds."""
    if seed_batch is not None and seed_batch < 1:
        raise Refusal(f"seed_batch = {seed_batch} is not at least 1")
    begun = [Unit.from_dict(held) for held in run.units()]
    taken = {seed for unit in begun for seed in unit.seeds}
    fresh = [seed for seed in run.spec.seeds if seed not in taken]
    size = seed_batch or len(fresh) or 1
    settings: dict[str, Any] = {"device": best_device(), "threads": cores()} | chosen
    new = [Unit(tuple(fresh[at : at + size]), **settings) for at in range(0, len(fresh), size)]
    for unit in new:
        check_device(unit.device)
    run.write_units([unit.to_dict() for unit in (*begun, *new)])
    return [replace(unit, **chosen) for unit in begun] + new


def best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
