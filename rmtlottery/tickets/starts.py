"""Tickets that were given to start from: the run keeps a copy of each start and mask, so that it needs no other folder."""

import hashlib
import json
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
DIRECTIONS = "directions"
# Fields that Specs of before had not, whose marks are what they were.
YOUNGER: dict[tuple[str, str], Any] = {("optimiser", "loss"): "cross_entropy", ("data", "shuffling"): 0}


def taken(tickets: Sequence[Ticket]) -> Taken:
    """The part of a Spec that stands for the tickets: their levels, what made them, and the Spec of their parents."""
    check(tickets)
    made = {(held["control"], tuple(held["control_seeds"])) for held in map(descent, tickets)}
    if len(made) > 1:
        words = ", ".join(f"{control or 'none'} with seeds {seeds}" for control, seeds in sorted(made))
        raise Refusal(f"these tickets were made by different controls ({words}); train each by itself")
    parents = {mark(ticket) for ticket in tickets}
    if len(parents) > 1:
        raise Refusal(f"these tickets are of runs with {len(parents)} different Specs; train each by itself")
    return Taken(tuple(sorted({t.level for t in tickets})), *made.pop(), parents.pop())


def mark(ticket: Ticket) -> str:
    """What tells a ticket's Spec apart from others, the net that a control may have changed left out."""
    held = {group: part for group, part in ticket.spec.identity().items() if group != "net"} if ticket.spec else {}
    for (group, field), usual in YOUNGER.items():
        if held and held[group][field] == usual:
            del held[group][field]
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]


def check(tickets: Sequence[Ticket]) -> None:
    """Refuses none, two for one place, and tickets whose weights differ in shape."""
    if not tickets:
        raise Refusal("no ticket is given to start from")
    places = [(ticket.seed, ticket.level) for ticket in tickets]
    if doubled := [place for place in places if places.count(place) > 1]:
        raise Refusal("two tickets are given for seed {}, level {}: take one".format(*doubled[0]))
    for ticket in tickets[1:]:
        if shapes(ticket) != shapes(tickets[0]):
            raise Refusal(f"{ticket} and {tickets[0]} have weights of different shapes; train each level by itself (--at)")


def shapes(ticket: Ticket) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in ticket.start.items()}


def tensors(ticket: Ticket) -> Tensors:
    start = {f"start/{name}": value for name, value in ticket.start.items()}
    return start | {f"mask/{name}": disk.pack(value) for name, value in ticket.mask.items()}


def descent(ticket: Ticket) -> dict[str, Any]:
    """The SHA-256 of the trained weights that a ticket, or what controls made of it, comes from, and all controls so far."""
    record = ticket.record
    before = {"control": record.get("control", ""), "control_seeds": list(record.get("control_seeds", []))}
    untrained = before["control"] and not record["metrics"]
    return {"parent": record["parent"] if untrained else record["sha256"]["weights"]} | before


def keep(run: Path, ticket: Ticket, directions: "torch.Tensor | None" = None) -> None:
    """Copy a ticket's start and mask into a run, where it is from, and directions to train along if there are any; another
    one than before is refused."""
    held, path = tensors(ticket), start_file(run, ticket.seed or 0, ticket.level)
    digest = disk.fingerprint(held)
    if path.exists() and read_facts(path).get("sha256", digest) != digest:
        place = f"seed {ticket.seed}, level {ticket.level}"
        raise Refusal(f"{run} has another start for {place} than the one that is given now; take another --name")
    masked = {name: list(value.shape) for name, value in ticket.mask.items()}
    facts = {"masked": masked, "sha256": digest, "descent": descent(ticket)}
    if directions is not None:
        directions = found_before(path, directions)
        facts, held = facts | {"along": disk.fingerprint({DIRECTIONS: directions})}, held | {DIRECTIONS: directions}
    disk.write_tensors(path, held, facts)


def found_before(path: Path, directions: "torch.Tensor") -> "torch.Tensor":
    """Those of a whole copy that is there, or these: on another machine they are the same but for signs and rounding."""
    try:
        return whole_copy(path)[0].get(DIRECTIONS, directions)
    except Refusal:
        return directions


def read_facts(path: Path) -> dict[str, Any]:
    """What is written beside a copy; nothing of a damaged one."""
    try:
        return disk.read_facts(path) or {}
    except Refusal:
        return {}


def given(run: Path, seed: int, level: int) -> bool:
    """Whether a ticket was given for this seed and level."""
    return start_file(run, seed, level).exists()


def recall(run: Path, seed: int, level: int) -> tuple[Tensors, Tensors, dict[str, Any]]:
    """(start, mask, descent) of the copy."""
    held, facts = whole_copy(start_file(run, seed, level))
    start = {name.removeprefix("start/"): value for name, value in held.items() if name.startswith("start/")}
    mask = {name: disk.unpack(held[f"mask/{name}"], tuple(shape)) for name, shape in facts["masked"].items()}
    return start, mask, facts["descent"]


def directions(run: Path, seed: int, level: int) -> "torch.Tensor":
    """Those that were kept beside the copy."""
    return whole_copy(start_file(run, seed, level))[0][DIRECTIONS]


def whole_copy(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """What is on disk of it, if that is what was written."""
    try:
        facts, held = disk.read_facts(path), disk.read_tensors(path)
    except FileNotFoundError:
        raise Refusal(f"{path} is missing; give the ticket again as start=") from None
    along = {name: held.pop(name) for name in (DIRECTIONS,) if name in held}
    whole = facts and facts["sha256"] == disk.fingerprint(held)
    if not facts or not whole or (along and facts.get("along") != disk.fingerprint(along)):
        raise Refusal(f"{path} is altered; give the ticket again as start=")
    return held | along, facts
