"""Finding the analyses in their folder, and what they may be told. Names with an underscore are not analyses."""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field, accept

FOLDER = Path(__file__).parent
TYPES = {"int": int, "float": float, "str": str, "bool": bool}


def questions() -> dict[str, str]:
    """analysis -> its question, read from the source without importing it."""
    return {path.stem: first_line(path) for path in sorted(FOLDER.glob("[!_]*.py"))}


@cache
def first_line(path: Path) -> str:
    """Of a file's docstring; read once, as a file is imported once."""
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


def nets(name: str) -> tuple[str, ...]:
    """The kinds of net that an analysis is about; none named: any."""
    return getattr(analysis(name), "NETS", ())


def charts(name: str) -> tuple[str, ...]:
    """The kinds of chart of which one at least is among what an analysis is asked of; none named: any."""
    return getattr(analysis(name), "CHARTS", ())


def beside(name: str) -> tuple[str, ...]:
    """The kinds of chart each of which is among what an analysis is asked of, too."""
    return getattr(analysis(name), "BESIDE", ())


def of_subnets(name: str) -> bool:
    """Whether an analysis is asked of several tickets at once, those of a seed in several runs that differ by their draw of
    directions: its `table` takes a list of them."""
    return getattr(analysis(name), "OF_SUBNETS", False) is True


def beyond_weights(name: str) -> str:
    """What an analysis needs that no checkpoint holds; nothing if weights alone will do."""
    return getattr(analysis(name), "NEEDS", "")
