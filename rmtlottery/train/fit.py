"""`fit`: make a run, or finish it."""

import os
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.bar import Bar
from rmtlottery.train.imp import Imp
from rmtlottery.train.plan import check_plan, steps_a_level
from rmtlottery.work.unit import Unit, cores


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
    default) are chosen when seeds are first taken up, and recorded: a resume repeats them unless told otherwise.
    `executor` takes the batches of seeds, if they are not to be trained one after another here.
    """
    check_plan(spec)
    run = Run.open(root or default_root(), spec)
    chosen = {"device": device, "threads": threads, "precision": precision}
    units = divide(run, {name: value for name, value in chosen.items() if value is not None}, seed_batch)
    run.write_units([unit.to_dict() for unit in units])
    steps = (run.spec.prune.levels + 1) * steps_a_level(run.spec)
    with Bar(run.path.name, steps, len(units)) as bar:
        if executor is None:
            for unit in units:
                Imp(run, unit, bar.step).go()
                bar.unit_done()
        else:
            for done in as_completed([executor.submit(train_unit, str(run.path), unit) for unit in units]):
                done.result()
                bar.unit_done()
    run.write_tables()
    return run


def train_unit(path: str, unit: Unit) -> None:
    """One unit of a run, in whatever process this is; idempotent, its result is on disk."""
    Imp(Run(path), unit, lambda level, state: None).go()


def default_root() -> Path:
    """The folder that runs are kept in."""
    return Path(os.environ.get("RMTL_RUNS", "runs"))


def divide(run: Run, chosen: dict[str, Any], seed_batch: int | None) -> list[Unit]:
    """The run's units: those it has, then new ones for the seeds it has not taken up yet."""
    if seed_batch is not None and seed_batch < 1:
        raise Refusal(f"seed_batch = {seed_batch} is not at least 1")
    units = [Unit.from_dict(held | chosen) for held in run.units()]
    taken = {seed for unit in units for seed in unit.seeds}
    fresh = [seed for seed in run.spec.seeds if seed not in taken]
    size = seed_batch or len(fresh)
    settings: dict[str, Any] = {"device": best_device(), "threads": cores()} | chosen
    return units + [Unit(tuple(fresh[at : at + size]), **settings) for at in range(0, len(fresh), size or 1)]


def best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
