"""Finding the analyses, asking one of them, drawing its answer. Names with an underscore are not analyses."""

import ast
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field, accept
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.work.pool import executor

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
TYPES = {"int": int, "float": float, "str": str, "bool": bool}


def questions() -> dict[str, str]:
    """analysis -> its question, read from the source without importing it."""
    return {path.stem: first_line(path) for path in sorted(FOLDER.glob("[!_]*.py"))}


def first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def options(name: str) -> dict[str, Field]:
    """The keyword-only parameters of an analysis, read from the source: what `--NAME.OPTION` may set."""
    tree = ast.parse(source(name).read_text())
    table = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "table")
    pairs = zip(table.args.kwonlyargs, table.args.kw_defaults, strict=True)
    return {arg.arg: option(arg, default) for arg, default in pairs}


def option(arg: ast.arg, default: ast.expr | None) -> Field:
    written = ast.unparse(arg.annotation) if arg.annotation else "str"
    if written not in TYPES or default is None:
        raise Refusal(f"option {arg.arg}: {written} of an analysis is not one of {', '.join(TYPES)} with a default")
    return Field(arg.arg, TYPES[written], "", (), ast.literal_eval(default))


def analysis(name: str) -> ModuleType:
    return import_module(f"rmtlottery.analyze.{source(name).stem}")


def source(name: str) -> Path:
    """The file of an analysis; one that is not there is answered with the nearest."""
    path = FOLDER / f"{name}.py"
    if name.startswith("_") or not path.is_file():
        raise unknown("analysis", name, questions())
    return path


def checked(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Options as the analysis takes them."""
    known = options(name)
    for key in given:
        if key not in known:
            raise unknown(f"option of {name}", key, known)
    return {key: accept(known[key], value) for key, value in given.items()}


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
    """The table over every ticket that can be asked, and a sentence for what cannot. Tickets are let go one by one."""
    import pandas as pd

    chosen, frames, keys, faults = checked(name, given), [], [], []
    for ticket in tickets:
        key = {"run": place(ticket), "seed": ticket.seed or 0, "level": ticket.level, "density": ticket.density}
        for found in by_layer(name, ticket, chosen, workers) if ticket.spec is None else [whole(name, ticket, chosen)]:
            if isinstance(found, Refusal):
                faults.append(str(found))
            else:
                frames.append(found)
                keys += [key] * len(found)
    if not frames:
        raise Refusal(f"{name} has no ticket to ask" + (f": {faults[0]}" if faults else "; train first"))
    table = pd.concat([pd.DataFrame(keys), pd.concat(frames, ignore_index=True)], axis=1)
    return table.assign(run=table["run"].map(distinct(set(table["run"])))), faults


def whole(name: str, ticket: Ticket, chosen: dict[str, Any]) -> "pd.DataFrame | Refusal":
    """One ticket's table, or why there is none."""
    try:
        return analysis(name).table(ticket, **chosen)
    except Refusal as fault:
        return fault


def by_layer(name: str, ticket: Ticket, chosen: dict[str, Any], workers: int) -> "Iterator[pd.DataFrame | Refusal]":
    """The tables of a foreign ticket, one a layer: a tensor is read when its turn comes, and its fault is its own."""
    from tqdm import tqdm

    if beyond := beyond_weights(name):
        yield Refusal(f"{name} needs {beyond}, which a checkpoint alone does not hold; ask it of a run")
        return
    tasks = [(name, ticket.only(layer), number, chosen) for number, layer in enumerate(ticket.mask, start=1)]
    with executor(workers) as pool, tqdm(total=len(tasks), desc=name, unit="layer", disable=None) as bar:
        for found in pool.map(one_layer, tasks) if pool else map(one_layer, tasks):
            bar.update()
            yield found


def one_layer(task: tuple[str, Ticket, int, dict[str, Any]]) -> "pd.DataFrame | Refusal":
    """The table of a ticket of one layer, which is the net's layer of that number."""
    name, ticket, number, chosen = task
    try:
        found = whole(name, ticket, chosen)
    except (MemoryError, RuntimeError, ArithmeticError, ValueError) as fault:
        reason = str(fault).partition("\n")[0] or type(fault).__name__
        return Refusal(f"{ticket.run}: {name} of {next(iter(ticket.mask))} failed: {reason}")
    if not isinstance(found, Refusal):
        found["layer"] = number
    return found


def beyond_weights(name: str) -> str:
    """What an analysis needs that no checkpoint holds; nothing if weights alone will do."""
    return getattr(analysis(name), "NEEDS", "")


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
