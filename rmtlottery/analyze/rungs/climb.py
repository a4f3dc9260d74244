"""Every rung of the ladder on one state of one ticket."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from rmtlottery.analyze.rungs.bar import bars
from rmtlottery.analyze.rungs.given import given_courses
from rmtlottery.analyze.rungs.joint import joint_courses, no_classes, why_not
from rmtlottery.analyze.rungs.names import NOTHING, T3
from rmtlottery.analyze.rungs.pooled import no_nominal, pooled_courses, pools
from rmtlottery.meanfield.quenched import Step
from rmtlottery.measure.signal import Probe, reached
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.ticket import Ticket, Weights

Courses = Iterator[tuple[str, Iterator[Step]]]


class Climb(NamedTuple):
    """source, layer, q, gain, chi and bar of every rung in every layer that it reaches; and which it does not, and why."""

    rows: list[dict[str, Any]]
    skipped: str


_climbed: dict[tuple[Any, ...], Climb] = {}
_inputs: list[Any] = [None, None]  # the mark of the inputs that the climbs were made with, and these, which it tells apart


def climb(ticket: Ticket, weights: Weights, seen: Probe, parts: int) -> Climb:
    """What several analyses ask of the same weights is found once; any other weights, mask or inputs are another matter."""
    if parts < 1:
        raise Refusal(f"parts = {parts} is not at least 1")
    if mark(seen) != _inputs[0]:
        _climbed.clear()
        _inputs[:] = mark(seen), seen
    key = (ticket.spec, fingerprint(weights), fingerprint(ticket.mask), parts)
    if key not in _climbed:
        _climbed[key] = climbed(ticket, weights, seen, parts)
    return _climbed[key]


def mark(seen: Probe) -> tuple[Any, ...]:
    """Tells inputs apart by where they lie and how often they were written to: who keeps them keeps them there."""
    held = (seen.x, seen.y, *((seen.train.x, seen.train.y) if seen.train is not None else ()))
    return tuple(None if tensor is None else (tensor.data_ptr(), tensor._version, tuple(tensor.shape)) for tensor in held)


def climbed(ticket: Ticket, weights: Weights, seen: Probe, parts: int) -> Climb:
    """Theory has no answer for a signal beyond all bounds: where a rung ends early its last words are among the skipped."""
    rows: list[dict[str, Any]] = []
    reasons = [*unreached(ticket, seen), *filter(None, [why_not(seen) or no_classes(seen)])]
    with np.errstate(over="ignore", invalid="ignore"):
        bar = bars(pools(ticket, weights)[T3], seen, phi_of(ticket))
        try:
            for source, steps in courses(ticket, weights, seen, parts):
                reasons += taken(source, steps, bar, rows)
        except (ValueError, ArithmeticError) as unanswered:
            reasons.append(f"T7 to T9 do not begin: {unanswered}")
    return Climb(rows, "; ".join(reasons) or NOTHING)


def taken(source: str, steps: Iterator[Step], bar: list[float], rows: list[dict[str, Any]]) -> list[str]:
    """Adds the rows of one rung; gives the reason why it ends before the last layer, if it does."""
    layer = 0
    try:
        for layer, step in enumerate(steps, start=1):
            rows.append({"source": source, "layer": layer, **step._asdict(), "bar": bar[layer - 1]})
    except (ValueError, ArithmeticError) as unanswered:
        return [f"{source.split(maxsplit=1)[0]} ends after layer {layer}: {unanswered}"]
    return []


def courses(ticket: Ticket, weights: Weights, seen: Probe, parts: int) -> Courses:
    yield from pooled_courses(ticket, weights, seen)
    yield from given_courses(weights, seen, phi_of(ticket))
    if not why_not(seen):
        yield from joint_courses(weights, seen, phi_of(ticket), parts)


def unreached(ticket: Ticket, seen: Probe) -> Iterator[str]:
    """What T0 to T6 do not reach, and why."""
    hidden, end = seen.network.layers[:-1], reached(seen.network)
    if end < len(hidden):
        yield f"T0 to T6 end before {hidden[end].name}, which takes what pooling leaves"
    yield from filter(None, [no_nominal(ticket)])


def phi_of(ticket: Ticket) -> str:
    assert ticket.spec is not None
    return str(getattr(ticket.spec.net, "phi", ""))
