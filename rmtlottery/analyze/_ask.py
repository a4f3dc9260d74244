"""Finding the analyses, asking one of them, drawing its answer. Names with an underscore are not analyses."""

import ast
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field, accept
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket

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
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    table = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "table")
    pairs = zip(table.args.kwonlyargs, table.args.kw_defaults, strict=True)
    return {arg.arg: option(arg, default) for arg, default in pairs}


def option(arg: ast.arg, default: ast.expr | None) -> Field:
    kind = TYPES[ast.unparse(arg.annotation)] if arg.annotation else str
    return Field(arg.arg, kind, "", (), ast.literal_eval(default) if default else None)


def analysis(name: str) -> ModuleType:
    if name not in questions():
        raise unknown("analysis", name, questions())
    return import_module(f"rmtlottery.analyze.{name}")


def checked(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Options as the analysis takes them."""
    known = options(name)
    for key in given:
        if key not in known:
            raise unknown(f"option of {name}", key, known)
    return {key: accept(known[key], value) for key, value in given.items()}


def tabulate(name: str, source: "Run | Ticket | Iterable[Ticket]", **given: Any) -> "pd.DataFrame":
    """An analysis's table over one ticket, a run, or any tickets; run, seed, level and density come first."""
    table, faults = gather(name, [source] if isinstance(source, Ticket) else source, given)
    if faults:
        raise Refusal(faults[0])
    return table


def gather(name: str, tickets: Iterable[Ticket], given: dict[str, Any]) -> "tuple[pd.DataFrame, list[str]]":
    """The table over every ticket that can be asked, and a sentence for each that cannot."""
    import pandas as pd

    module, chosen = analysis(name), checked(name, given)
    frames, faults = [], []
    for ticket in tickets:
        try:
            frames.append(with_keys(module.table(ticket, **chosen), ticket))
        except Refusal as fault:
            faults.append(str(fault))
    if not frames:
        raise Refusal(f"{name} has no ticket to ask" + (f": {faults[0]}" if faults else "; train first"))
    return pd.concat(frames, ignore_index=True), faults


def with_keys(table: "pd.DataFrame", ticket: Ticket) -> "pd.DataFrame":
    keys = {"run": ticket.spec.name if ticket.spec else "", "seed": ticket.seed, "level": ticket.level}
    for place, (key, value) in enumerate((keys | {"density": ticket.density}).items()):
        table.insert(place, key, value)
    return table


def plot(name: str, table: "pd.DataFrame") -> "Figure":
    """The analysis's figure of its table; no checkpoint is needed."""
    return analysis(name).plot(table)
