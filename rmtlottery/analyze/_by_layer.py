"""One question to one ticket; to a foreign one by layers, so that little is in memory and a fault is one layer's own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rmtlottery.analyze._questions import analysis, beyond_weights
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.work.pool import executor

if TYPE_CHECKING:
    import pandas as pd

SMALL = 2**20  # numbers of layers that are asked together, as a table a layer costs more than these do


class Task(NamedTuple):
    """A question to some layers of a foreign ticket, whose places in the whole are `numbers`."""

    name: str
    ticket: Ticket
    numbers: list[int]
    options: dict[str, Any]


def whole(name: str, asked: Ticket | list[Ticket], options: dict[str, Any]) -> "pd.DataFrame | Refusal":
    """The table of a ticket, or of several, or why there is none; theory, which knows no tickets, says it in a sentence
    without them."""
    try:
        return analysis(name).table(asked, **options)
    except Refusal as fault:
        return fault
    except (ArithmeticError, ValueError) as fault:
        return failure(name, asked[0] if isinstance(asked, list) else asked, fault)


def failure(name: str, ticket: Ticket, fault: Exception) -> Refusal:
    reason = str(fault).partition("\n")[0] or type(fault).__name__
    return Refusal(f"{ticket.run}: {name} of {subject(ticket)} failed: {reason}")


def subject(ticket: Ticket) -> str:
    return f"seed {ticket.seed}, level {ticket.level}" if ticket.spec else ", ".join(ticket.mask)


def by_layer(name: str, ticket: Ticket, options: dict[str, Any], workers: int) -> "Iterator[pd.DataFrame | Refusal]":
    """The tables of a foreign ticket: a tensor is read when its turn comes."""
    from tqdm import tqdm

    if beyond := beyond_weights(name):
        yield Refusal(f"{name} needs {beyond}, which a checkpoint alone does not hold; ask it of a run")
        return
    tasks = [Task(name, ticket, numbers, options) for numbers in together(ticket)]
    with executor(workers) as pool, tqdm(total=len(ticket.mask), desc=name, unit="layer", disable=None) as bar:
        for task, found in zip(tasks, pool.map(some, tasks) if pool else map(some, tasks), strict=True):
            bar.update(len(task.numbers))
            yield from found


def together(ticket: Ticket) -> Iterator[list[int]]:
    """The numbers of layers, from 1, that are asked at once: neighbours that are small in sum."""
    held: list[int] = []
    total = 0
    for number, mask in enumerate(ticket.mask.values(), start=1):
        if held and total + mask.numel() > SMALL:
            yield held
            held, total = [], 0
        held.append(number)
        total += mask.numel()
    if held:
        yield held


def some(task: Task) -> "list[pd.DataFrame | Refusal]":
    """One table of all layers of a task, or where one of them has a fault, what each gives by itself."""
    names = list(task.ticket.mask)
    found = attempt(task, [names[number - 1] for number in task.numbers])
    if not isinstance(found, Refusal):
        found["layer"] = found["layer"].map(dict(enumerate(task.numbers, start=1)))
        return [found]
    if len(task.numbers) == 1:
        return [found]
    return [one for number in task.numbers for one in some(task._replace(numbers=[number]))]


def attempt(task: Task, names: list[str]) -> "pd.DataFrame | Refusal":
    """A layer that does not fit into memory is no fault of the others."""
    ticket = task.ticket.only(*names)
    try:
        return whole(task.name, ticket, task.options)
    except (MemoryError, RuntimeError) as fault:
        return failure(task.name, ticket, fault)
