"""Asking an analysis of tickets, and drawing its answer."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._by_layer import by_layer, whole
from rmtlottery.analyze._questions import analysis, checked, of_subnets
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def tabulate(name: str, source: "Run | Ticket | Iterable[Ticket] | str | Path", **given: Any) -> "pd.DataFrame":
    """An analysis's table over one ticket, a run (or its folder), or any tickets; where it is from comes first."""
    if not isinstance(source, Ticket | Iterable | Path):
        raise Refusal(f"{source!r} is no run, no ticket and no list of tickets")
    if isinstance(source, str | Path):
        return tabulate(name, Run(source), **given)
    table, faults = gather(name, [source] if isinstance(source, Ticket) else source, given)
    if faults:
        raise Refusal(faults[0])
    return table


def gather(
    name: str, tickets: Iterable[Ticket], given: dict[str, Any], workers: int = 1
) -> "tuple[pd.DataFrame, list[str]]":
    """The table over every ticket that can be asked, and a sentence for what cannot. Tickets are let go one by one.

    An analysis that judges tickets together has `pooled(table)`, which makes its table of that of all of them; one that
    is about several at once, `OF_SUBNETS`, is asked of all of a seed, and its rows name the first of their runs.
    """
    import pandas as pd

    chosen, frames, keys, faults = checked(name, given), [], [], []
    for ticket, found in answers(name, tickets, chosen, workers):
        key = {"run": place(ticket), "seed": ticket.seed or 0, "level": ticket.level, "density": ticket.density}
        if isinstance(found, Refusal):
            faults.append(str(found))
        else:
            frames.append(found)
            keys += [key] * len(found)
    if not keys:
        nothing = "nothing to say of these tickets" if frames else "no ticket to ask; train first"
        raise Refusal(faults[0] if faults else f"{name} has {nothing}")
    table = pd.concat([pd.DataFrame(keys), pd.concat(frames, ignore_index=True)], axis=1)
    table = table.assign(run=table["run"].map(distinct(set(table["run"]))))
    return getattr(analysis(name), "pooled", lambda held: held)(table), faults


def answers(
    name: str, tickets: Iterable[Ticket], chosen: dict[str, Any], workers: int
) -> "Iterator[tuple[Ticket, pd.DataFrame | Refusal]]":
    """What is found of each ticket, or of those of each seed, the first of which stands for them."""
    if of_subnets(name):
        for same in by_seed(tickets):
            yield same[0], whole(name, same, chosen)
        return
    for ticket in tickets:
        for found in by_layer(name, ticket, chosen, workers) if ticket.spec is None else [whole(name, ticket, chosen)]:
            yield ticket, found


def by_seed(tickets: Iterable[Ticket]) -> list[list[Ticket]]:
    held: dict[int, list[Ticket]] = {}
    for ticket in tickets:
        held.setdefault(ticket.seed or 0, []).append(ticket)
    return list(held.values())


def place(ticket: Ticket) -> str:
    """The run's folder; of what a control made of its ticket, with the control's name."""
    control = "" if ticket.metrics else ticket.record.get("control", "")
    seeds = "-".join(map(str, ticket.record.get("control_seeds", [])))
    return f"{ticket.run or ''}:{control}-{seeds}" if control else str(ticket.run or "")


def distinct(folders: set[str]) -> dict[str, str]:
    """Each folder's name, with as many of its parents as it takes to tell all apart."""
    parts = {folder: Path(folder).resolve().parts if folder else ("",) for folder in folders}
    length = 1
    while len({held[-length:] for held in parts.values()}) < len(set(parts.values())):
        length += 1
    return {folder: "/".join(held[-length:]) for folder, held in parts.items()}


def plot(name: str, table: "pd.DataFrame") -> "Figure":
    """The analysis's figure of its table; no checkpoint is needed."""
    return analysis(name).plot(table)
