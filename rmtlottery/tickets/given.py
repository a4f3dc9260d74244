"""Tickets that were given to start from: the run keeps a copy of each start and mask, so that it needs no other folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import disk
from rmtlottery.tickets.layout import start_file
from rmtlottery.tickets.parts import Taken
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]


def taken(tickets: Sequence[Ticket]) -> Taken:
    """The part of a Spec that stands for the tickets: their levels, what made them, and a hash of them all."""
    check(tickets)
    made = {(t.record.get("control", ""), tuple(t.record.get("control_seeds", ()))) for t in tickets}
    if len(made) > 1:
        words = ", ".join(f"{control or 'none'} with seeds {seeds}" for control, seeds in sorted(made))
        raise Refusal(f"these tickets were made by different controls ({words}); train each by itself")
    control, seeds = made.pop()
    marks = {f"{t.seed}/{t.level}/{name}": value for t in tickets for name, value in tensors(t).items()}
    return Taken(tuple(sorted({t.level for t in tickets})), control, seeds, disk.fingerprint(marks))


def check(tickets: Sequence[Ticket]) -> None:
    """Refuses tickets that do not make a grid of seeds and levels, or whose weights differ in shape."""
    if not tickets:
        raise Refusal("no ticket is given to start from")
    places = [(ticket.seed, ticket.level) for ticket in tickets]
    seeds, levels = sorted({str(seed) for seed, _ in places}), sorted({level for _, level in places})
    if len(places) != len(seeds) * len(levels) or len(set(places)) != len(places):
        raise Refusal(
            f"{len(places)} tickets of seeds {', '.join(seeds)} and levels {levels} are no grid: take every level of every "
            "seed once"
        )
    for ticket in tickets[1:]:
        if shapes(ticket) != shapes(tickets[0]):
            raise Refusal(f"{ticket} and {tickets[0]} have weights of different shapes; train each by itself")


def shapes(ticket: Ticket) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in ticket.start.items()}


def tensors(ticket: Ticket) -> Tensors:
    start = {f"start/{name}": value for name, value in ticket.start.items()}
    return start | {f"mask/{name}": disk.pack(value) for name, value in ticket.mask.items()}


def descent(ticket: Ticket) -> dict[str, Any]:
    """The SHA-256 of the weights that a ticket, or what controls made of it, comes from, and these controls."""
    record = ticket.record
    if record.get("control") and not record["metrics"]:
        return {name: record[name] for name in ("parent", "control", "control_seeds")}
    return {"parent": record["sha256"]["weights"], "control": "", "control_seeds": []}


def keep(run: Path, ticket: Ticket) -> None:
    """Copy a ticket's start and mask into a run, and where it is from."""
    held = tensors(ticket)
    shapes = {name: list(value.shape) for name, value in ticket.mask.items()}
    facts = {"masked": shapes, "sha256": disk.fingerprint(held), "descent": descent(ticket)}
    disk.write_tensors(start_file(run, ticket.seed or 0, ticket.level), held, facts)


def recall(run: Path, seed: int, level: int) -> tuple[Tensors, Tensors, dict[str, Any]]:
    """(start, mask, descent) of the copy."""
    path = start_file(run, seed, level)
    try:
        facts, held = disk.read_facts(path), disk.read_tensors(path)
    except FileNotFoundError:
        raise Refusal(f"{path} is missing; give the ticket again as start=") from None
    if not facts or facts["sha256"] != disk.fingerprint(held):
        raise Refusal(f"{path} is altered; give the ticket again as start=")
    start = {name.removeprefix("start/"): value for name, value in held.items() if name.startswith("start/")}
    mask = {name: disk.unpack(held[f"mask/{name}"], tuple(shape)) for name, shape in facts["masked"].items()}
    return start, mask, facts["descent"]
