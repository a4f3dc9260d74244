"""Every rung of the ladder on one state of one ticket."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from rmtlottery.analyze.rungs.bar import bars
from rmtlottery.analyze.rungs.given import given_courses
from rmtlottery.analyze.rungs.joint import joint_courses, no_classes, why_not
from rmtlottery.analyze.rungs.names import NOTHING, T3
from rmtlottery.analyze.rungs.pooled import no_nominal, pooled_courses, pools
from rmtlottery.meanfield.quenched import Step
from rmtlottery.measure.signal import Probe, reached
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.ticket import Ticket, Weights

KEPT = 4096


class Climb(NamedTuple):
    """source, layer, q, gain, chi and bar of every rung in every layer that it reaches; and which it does not, and why."""

    rows: list[dict[str, Any]]
    skipped: str


_climbed: dict[tuple[Any, ...], tuple[Probe, Climb]] = {}


def climb(ticket: Ticket, weights: Weights, seen: Probe, parts: int) -> Climb:
    """What several analyses ask of the same weights is found once; any other weights, mask or inputs are another matter."""
    key = (ticket.spec, fingerprint(weights), fingerprint(ticket.mask), mark(seen), parts)
    if key not in _climbed:
        if len(_climbed) >= KEPT:
            _climbed.clear()
        found = Climb(list(rows(ticket, weights, seen, parts)), "; ".join(skipped(ticket, seen)) or NOTHING)
        _climbed[key] = seen, found
    return _climbed[key][1]


def mark(seen: Probe) -> tuple[Any, ...]:
    """Tells inputs apart by where they lie and how often they were written to: what is kept beside it keeps them there."""
    held = (seen.x, seen.y, *((seen.train.x, seen.train.y) if seen.train is not None else ()))
    return tuple(None if tensor is None else (tensor.data_ptr(), tensor._version, tuple(tensor.shape)) for tensor in held)


def rows(ticket: Ticket, weights: Weights, seen: Probe, parts: int) -> Iterator[dict[str, Any]]:
    layers, phi = pools(ticket, weights)[T3], ticket.spec.net.phi  # type: ignore[union-attr]
    bar = dict(enumerate(bars(layers[: reached(seen.network)], seen, phi), start=1))
    for source, steps in courses(ticket, weights, seen, parts):
        for layer, step in enumerate(steps, start=1):
            yield {"source": source, "layer": layer, **step._asdict(), "bar": bar[layer]}


def courses(ticket: Ticket, weights: Weights, seen: Probe, parts: int) -> Iterator[tuple[str, list[Step]]]:
    phi = ticket.spec.net.phi  # type: ignore[union-attr]
    yield from pooled_courses(ticket, weights, seen)
    yield from given_courses(weights, seen, phi)
    if not why_not(seen):
        yield from joint_courses(weights, seen, phi, parts)


def skipped(ticket: Ticket, seen: Probe) -> Iterator[str]:
    """What is missing, rung by rung, and why."""
    hidden, end = seen.network.layers[:-1], reached(seen.network)
    if end < len(hidden):
        yield f"T0 to T6 end before {hidden[end].name}, which takes what pooling leaves"
    yield from filter(None, (no_nominal(ticket), why_not(seen) or no_classes(seen)))
