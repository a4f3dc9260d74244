"""Runs that are trained from what controls make of another run's tickets."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import declared, shown
from rmtlottery.tickets.presets import short
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.spec import Spec, kinds
from rmtlottery.tickets.starts import mark
from rmtlottery.train.controls import controlled
from rmtlottery.train.fit import fit

OWN = ("control", "control_seed", "at")


def child(parent: Run, root: str | Path, changed: Mapping[str, Any], **unit: Any) -> Run:
    """Trained under `control` at levels `at` (all where none is named), with some fields changed.

    What is there already is neither made nor trained again: to find a mask may take longer than to train it.
    """
    own: dict[str, Any] = {"control": "rewound", "control_seed": 0, "at": ()}
    own |= {key: changed[key] for key in OWN if key in changed}
    fields = {key: value for key, value in changed.items() if key not in OWN}
    if bound := set(fields) - free():
        raise Refusal(f"{min(bound)} is decided by the tickets that a child of {parent.path.name} starts from; leave it out")
    if strange := set(own["at"]) - {*parent.levels}:
        raise Refusal(f"{parent.path} has levels {shown(tuple(parent.levels))}, and no level {min(strange)}")
    own["at"] = sorted(own["at"])
    spec = parent.spec.but(**fields, name=name(parent, own, fields))
    levels = own["at"] or parent.levels
    places = [(seed, level) for seed, level in parent.places if level in levels and parent.status(seed, level) == "done"]
    path = Path(root) / spec.name
    if not places:
        raise Refusal(f"{parent.path} has no finished ticket at levels {shown(tuple(levels))}: train it, or name others")
    if whole(path, parent, spec, places):
        return Run(path)
    tickets = [controlled(parent[place], own["control"], own["control_seed"]) for place in places]
    return fit(spec, root, start=tickets, **unit)


def free() -> set[str]:
    """What may be another in a child: on what, along what and how it is trained, and what is recorded of it."""
    return fields_of("data", "chart", "optimiser", "schedule", "record")


def fields_of(*groups: str) -> set[str]:
    """These parts of a Spec, and the fields of all their kinds."""
    return {*groups, *(field for group in groups for kind in kinds(group).values() for field in declared(kind))}


def name(parent: Run, own: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """The parent's, what differs from it, the control and its seed, and the levels where not all are taken."""
    words = [f"{field}={shown(value)}" for field, value in fields.items()]
    at = ["at", *map(str, own["at"])] if own["at"] else []
    return short("-".join([parent.path.name, *words, "on", own["control"], str(own["control_seed"]), *at]))


def whole(path: Path, parent: Run, spec: Spec, places: list[tuple[int, int]]) -> bool:
    """Whether a run holds all of this, trained by this Spec from these very tickets."""
    try:
        run = Run(path)
    except Refusal:
        return False
    alike = replace(spec, net=run.spec.net, origin=run.spec.origin).identity() == run.spec.identity()
    descended = getattr(run.spec.origin, "parent", "") == mark(parent[places[0]])
    return alike and descended and all(same(run, parent, *place) for place in places)


def same(run: Run, parent: Run, seed: int, level: int) -> bool:
    """Whether a ticket, or the record of one that diverged, is there and whole, and is of its parent as that now is."""
    status = run.status(seed, level)
    if status not in ("done", "diverged") or (status == "done" and run.fault(seed, level)):
        return False
    record = run.record(seed, level)
    return record is not None and record["parent"] == parent.fingerprint(seed, level)
