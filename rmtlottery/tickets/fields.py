"""What a Spec's field may hold: its type, its bounds, and how text from a shell, TOML or JSON becomes it."""

import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args, get_origin

from rmtlottery.refusal import Refusal, unknown


class Bound(NamedTuple):
    holds: Callable[[Any], bool]
    words: str


def at_least(low: float) -> Bound:
    return Bound(lambda value: value >= low, f"at least {low:g}")


def at_most(high: float) -> Bound:
    return Bound(lambda value: value <= high, f"at most {high:g}")


def above(low: float) -> Bound:
    return Bound(lambda value: value > low, f"above {low:g}")


def fraction() -> Bound:
    return Bound(lambda value: 0 <= value < 1, "at least 0 and below 1")


def each_at_least(low: int) -> Bound:
    return Bound(lambda values: all(value >= low for value in values), f"made of whole numbers of at least {low}")


some = Bound(lambda values: len(values) > 0, "at least one number")
six_n_plus_two = Bound(lambda value: value % 6 == 2, "6 n + 2 (8, 14, 20, 32, 44, 56)")


def pairs(text: str) -> dict[str, float]:
    """PATTERN=NUMBER,... as a dict."""
    held = [item.rpartition("=") for item in text.split(",") if item]
    return {pattern: float(number) for pattern, _, number in held}


def are_rates(text: str) -> bool:
    try:
        return all(pattern and 0 <= rate < 1 for pattern, rate in pairs(text).items())
    except ValueError:
        return False


rates_by_pattern = Bound(are_rates, "made of PATTERN=RATE, rates at least 0 and below 1, e.g. conv*=0.1,fc1=0.15")


class Field(NamedTuple):
    """One field of a part, as its annotation declares it."""

    name: str
    kind: Any
    help: str
    bounds: tuple[Bound, ...]
    default: Any


def declared(part: type) -> Mapping[str, Field]:
    """The fields of a dataclass whose annotations read `Annotated[type, help, *bounds]`."""
    return read(part)


@cache
def read(part: type) -> Mapping[str, Field]:
    hints = typing.get_type_hints(part, include_extras=True)
    found = {}
    for field in fields(part):
        kind, help_text, *bounds = get_args(hints[field.name])
        found[field.name] = Field(field.name, kind, help_text, tuple(bounds), field.default)
    return MappingProxyType(found)


def choices(field: Field) -> tuple[str, ...]:
    """What a field may be, if that is one of a few words."""
    return get_args(field.kind) if get_origin(field.kind) is Literal else ()


def accept(field: Field, value: Any) -> Any:
    """`value` as the field's type, or a Refusal that names the field, the value and what would do."""
    if choices(field) and value not in choices(field):
        raise unknown(field.name, str(value), choices(field))
    try:
        held = convert(field.kind, value)
    except (TypeError, ValueError, OverflowError):
        raise Refusal(f"{field.name} = {value!r} is not {wanted(field.kind)}") from None
    for bound in field.bounds:
        if not bound.holds(held):
            raise Refusal(f"{field.name} = {shown(held)} is not {bound.words}")
    return held


def convert(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        return value
    if get_origin(kind) is tuple:
        return numbers(value)
    return {int: whole, float: real, bool: truth, str: text}[kind](value)


def wanted(kind: Any) -> str:
    names = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}
    return names.get(kind, "a list of whole numbers such as 0,1,2 or 8x256,64")


def whole(value: Any) -> int:
    number = int(value)
    if isinstance(value, bool) or (not isinstance(value, str) and number != value):
        raise TypeError
    return number


def real(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise TypeError
    return number


def truth(value: Any) -> bool:
    held = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(held, bool):
        raise TypeError
    return held


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def numbers(value: Any) -> tuple[int, ...]:
    """Whole numbers from a list, or from text in which `8x256` stands for eight times 256."""
    if not isinstance(value, str):
        return tuple(whole(item) for item in ([value] if isinstance(value, int) else value))
    held: list[int] = []
    for item in filter(None, value.split(",")):
        times, _, number = item.rpartition("x")
        if int(times or 1) < 1:
            raise ValueError
        held += [int(number)] * int(times or 1)
    return tuple(held)


def shown(value: Any) -> str:
    """A value as it is typed on the command line, and as it stands in a folder's name."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, tuple):
        return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
    runs: list[list[int]] = []
    for number in value:
        if runs and runs[-1][1] == number:
            runs[-1][0] += 1
        else:
            runs.append([1, number])
    return ",".join(f"{times}x{number}" if times > 1 else str(number) for times, number in runs)
