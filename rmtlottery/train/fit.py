"""`fit`: make a run, or finish it."""

import os
from collections.abc import Iterable
from concurrent.futures import Executor, as_completed
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from rmtlottery.datasets import as_told, dataset
from rmtlottery.datasets.given import given
from rmtlottery.nets.module import described, modular, tell
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.presets import label, short
from rmtlottery.tickets.run import Run, alone
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.starts import keep, taken
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.bar import Bar
from rmtlottery.train.directions import along
from rmtlottery.train.levels import Levels
from rmtlottery.train.material import Material, check_precision, material
from rmtlottery.train.plan import check_plan, steps_a_level
from rmtlottery.work.unit import Unit, check_device, cores, sparse_by_default

if TYPE_CHECKING:
    import torch

CHOICES = ("device", "threads", "precision", "sparse", "seed_batch")
ONE_AT_A_TIME = Lock()


def fit(
    spec: Spec,
    root: str | Path | None = None,
    *,
    start: Ticket | Iterable[Ticket] | None = None,
    net: "torch.nn.Module | None" = None,
    data: Any = None,
    executor: Executor | None = None,
    **unit: Any,
) -> Run:
    """Train every level of every seed in root/NAME (root: $RMTL_RUNS, or ./runs); what is there already stays.

    `start`: tickets to train instead, each at its own seed and level, e.g. `[control(t, 7) for t in run]`.
    `net`: a torch module of your own; `data`: (x, y, test_x, test_y) of your own.
    `executor` takes the batches of seeds, if they are not to be trained one after another here.
    `unit`: device, threads, precision (fp32, or bf16 with fp32 masters), sparse (the density at or below which a CPU
    multiplies kept weights only) and seed_batch (seeds trained side by side, all by default) are recorded when seeds are
    first taken up, and a resume repeats them; it may be told others, but what is begun is not divided anew.
    """
    if not isinstance(spec, Spec):
        raise Refusal(f"{spec!r} is no Spec; rl.preset({str(spec)!r}) makes one of a preset's name")
    check_options(unit, "fit", "start", "executor")
    if executor and not (net is None and data is None):
        raise Refusal("a net or data of your own are known to this process only: leave the executor out")
    tickets = started(start)
    plan = planned(spec, tickets, net, data)
    check_precision(plan.network, unit.get("precision"))
    run = Run.open(root or default_root(), plan.spec)
    for ticket in tickets:
        keep(run.path, ticket, along(plan.spec.chart, ticket, plan.network.shapes))
    return finish(run, plan, divided(run, **unit), executor)


def check_options(unit: dict[str, Any], what: str, *more: str) -> None:
    for name in unit:
        if name not in CHOICES:
            raise unknown(f"option of {what}", name, [*CHOICES, "net", "data", *more])


def planned(spec: Spec, start: list[Ticket] | None = None, net: Any = None, data: Any = None) -> Material:
    """The Spec with parts that stand for what was handed over, and the net and data of it, all checked."""
    if start:
        spec = from_tickets(spec, start)
    held = network = None
    if data is not None:
        part, held = given(data, validation=spec.data.validation)
        part = replace(part, scale=spec.data.scale, shuffled=spec.data.shuffled, shuffling=spec.data.shuffling)
        held = as_told(held, part)
        spec = spec.but(data=part)
    if net is not None:
        held = held or dataset(spec.data)
        network = modular(net, held.shape, held.classes)
        spec = spec.but(net=described(network, passed=spec.init.kind == "passed"))
        if spec.init.kind not in ("own", "passed"):
            tell(f"its weights are drawn by init {spec.init}; take init own for its own, passed for those it has")
    plan = material(spec, network, held)
    check_plan(plan, start or [])
    return plan


def started(start: Any) -> list[Ticket]:
    if not isinstance(start, Ticket | Iterable | None):
        raise Refusal(f"start = {start!r} is no ticket and no list of tickets")
    tickets = [] if start is None else [start] if isinstance(start, Ticket) else list(start)
    if not all(isinstance(ticket, Ticket) for ticket in tickets):
        raise Refusal(f"start = {start!r} is no ticket and no list of tickets")
    if start is not None and not tickets:
        raise Refusal("start names no ticket to train")
    return tickets


def from_tickets(spec: Spec, tickets: list[Ticket]) -> Spec:
    """The Spec of training these: their seeds, their levels, a name that says what they are."""
    origin = taken(tickets)
    seeds = sorted({ticket.seed for ticket in tickets if ticket.seed is not None})
    words = "-".join([label(spec), "on", origin.control or "tickets", *map(str, origin.control_seeds[-1:])])
    of_parent = spec.name in {"", *(ticket.run.name for ticket in tickets if ticket.run)}
    changed = [ticket.spec.net for ticket in tickets[:1] if ticket.spec and origin.control]
    return spec.but(origin=origin, seeds=seeds, net=[spec.net, *changed][-1], name=short(words) if of_parent else spec.name)


def finish(run: Run, things: Material, units: list[Unit], executor: Executor | None) -> Run:
    """Train what is missing, here or by the executor."""
    steps = len(run.spec.levels) * steps_a_level(run.spec, things.data)
    with Bar(run.path.name, steps, len(units)) as bar:
        if executor is None:
            for unit in units:
                Levels(run, unit, bar.step, things).go()
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
        run = Run(path)
        Levels(run, unit, lambda level, state: None, material(run.spec)).go()


def default_root() -> Path:
    """The folder that runs are kept in."""
    return Path(os.environ.get("RMTL_RUNS", "runs"))


def divided(
    run: Run,
    device: str | None = None,
    threads: int | None = None,
    precision: str | None = None,
    sparse: float | None = None,
    seed_batch: int | None = None,
) -> list[Unit]:
    """The run's units: those it has, as they were begun or as now chosen, then new ones, recorded, for new seeds."""
    if seed_batch is not None and seed_batch < 1:
        raise Refusal(f"seed_batch = {seed_batch} is not at least 1")
    told = {"device": device, "threads": threads, "precision": precision, "sparse": sparse}
    chosen: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    with alone(run.path):
        begun = [Unit.from_dict(held) for held in run.units()]
        taken_up = {seed for unit in begun for seed in unit.seeds}
        fresh = [seed for seed in run.spec.seeds if seed not in taken_up]
        size = seed_batch or len(fresh) or 1
        new = [unit_of(tuple(fresh[at : at + size]), **chosen) for at in range(0, len(fresh), size)]
        for unit in new:
            check_device(unit.device)
        run.write_units([unit.to_dict() for unit in (*begun, *new)])
    return [replace(unit, **chosen) for unit in begun] + new


def unit_of(seeds: tuple[int, ...], **chosen: Any) -> Unit:
    """A unit as chosen, with the best device, all threads and sparse steps where they pay."""
    unit = replace(Unit(seeds, best_device(), cores()), **chosen)
    return replace(unit, **({"sparse": sparse_by_default(unit.device, unit.precision)} | chosen))


def best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
