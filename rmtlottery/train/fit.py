"""`fit`: make a run, or finish it."""

import os
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
) -> Run:
    """Train every level of every seed in root/NAME (root: $RMTL_RUNS, or ./runs); what is there already stays.

    device, threads, precision (fp32, or bf16 with fp32 masters) and seed_batch (seeds trained side by side, all by
    default) are chosen when seeds are first taken up, and recorded: a resume repeats them unless told otherwise.
    """
    check_plan(spec)
    run = Run.open(root or default_root(), spec)
    chosen = {"device": device, "threads": threads, "precision": precision}
    units = divide(run, {name: value for name, value in chosen.items() if value is not None}, seed_batch)
    run.write_units([unit.to_dict() for unit in units])
    steps = (run.spec.prune.levels + 1) * steps_a_level(run.spec)
    bar = Bar(run.path.name, steps * len(units))
    try:
        for number, unit in enumerate(units):
            bar.before = steps * number
            Imp(run, unit, bar).go()
    finally:
        bar.close()
    return run


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
    settings = {"device": best_device(), "threads": cores()} | chosen
    return units + [Unit(tuple(fresh[at : at + size]), **settings) for at in range(0, len(fresh), size or 1)]


def best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
