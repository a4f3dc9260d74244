"""`Spec`: everything that decides a run, complete, frozen and stored with the result."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets import parts
from rmtlottery.tickets.fields import Field, accept, choices, declared, each_at_least, some

VERSION = 1
GROUPS: dict[str, type[parts.Part]] = {
    "net": parts.Net,
    "data": parts.Data,
    "init": parts.Init,
    "optimiser": parts.Optimiser,
    "schedule": parts.Schedule,
    "prune": parts.Prune,
    "chart": parts.Chart,
    "record": parts.Record,
    "origin": parts.Origin,
}
LATER = {"origin"}  # groups that specs of before do not name
PASSED = {"module", "given", "taken"}  # kinds that stand for what is passed in Python
SEEDS = Field("seeds", tuple[int, ...], "seeds trained side by side, e.g. 0,1,2", (some, each_at_least(0)), (0,))
NAME = Field("name", str, "the run's folder; by default the preset and what differs from it", (), "")
PRESET = Field("preset", str, "the preset that the run's name starts from", (), "")


@dataclass(frozen=True)
class Spec:
    """One run. `but` makes a variant; `seeds`, `name` and `preset` are labels and no part of its identity."""

    net: parts.Net = parts.FC()
    data: parts.Data = parts.Digits()
    init: parts.Init = parts.Normal()
    optimiser: parts.Optimiser = parts.Adam()
    schedule: parts.Schedule = parts.Constant()
    prune: parts.Prune = parts.Prune()
    chart: parts.Chart = parts.Chart()
    record: parts.Record = parts.Record()
    origin: parts.Origin = parts.Origin()
    seeds: tuple[int, ...] = (0,)
    preset: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        for group in GROUPS:
            part = getattr(self, group)
            if type(part) not in kinds(group).values():
                raise Refusal(f"{group} = {part!r} is not one of {', '.join(kinds(group))}")
        seeds = accept(SEEDS, self.seeds)
        object.__setattr__(self, "seeds", tuple(dict.fromkeys(seeds)))
        accept(PRESET, self.preset)
        if set("/\0") & set(accept(NAME, self.name)) or self.name.startswith("."):
            raise Refusal(f"name = {self.name!r} is not a plain folder name")
        if self.prune.rewind and self.prune.levels == 0:
            raise Refusal(f"rewind = {self.prune.rewind} has no level to rewind for: levels is 0")

    def but(self, **changes: Any) -> "Spec":
        """This spec with some fields changed, each by its own name: `but(lr=1e-2, optimiser="sgd", net={"phi": "erf"})`.

        A part that changes its kind keeps what both kinds have with one default (epochs, decay), and takes the new
        kind's defaults for the rest (lr).
        """
        held: dict[str, Any] = {group: getattr(self, group) for group in GROUPS}
        for group in [name for name in GROUPS if name in changes]:
            held[group] = part_from(group, changes.pop(group), held[group])
        labels: dict[str, Any] = {name: changes.pop(name) for name in ("seeds", "name", "preset") if name in changes}
        return replace(self, **(labels | with_leaves(held, changes)))

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels that are trained: level 0 and one for each cut, or those that were given to start from."""
        return self.origin.at if isinstance(self.origin, parts.Taken) else tuple(range(self.prune.levels + 1))

    def identity(self) -> dict[str, Any]:
        """What decides the outcome of one seed, as plain data."""
        return {group: getattr(self, group).to_dict() for group in GROUPS}

    def to_json(self) -> str:
        labels = {"seeds": list(self.seeds), "preset": self.preset, "name": self.name}
        return json.dumps({"version": VERSION} | self.identity() | labels, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Spec":
        """The spec that `to_json` wrote: every part and label must be there, a field that is not has its default."""
        try:
            held = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise Refusal(f"the spec is damaged (not JSON: {error})") from None
        version = held.pop("version", None) if isinstance(held, dict) else None
        if version != VERSION:
            raise Refusal(f"the spec is of format version {version}, this rmtlottery reads version {VERSION}")
        if odd := sorted(set(held) ^ {*GROUPS, "seeds", "preset", "name"} - (LATER - set(held))):
            raise Refusal(f"the spec lacks, or has beyond what a spec has, {', '.join(odd)}")
        return cls().but(**held)


def kinds(group: str) -> dict[str, type[parts.Part]]:
    """kind -> class of every kind that a group has."""
    return {kind.kind: kind for kind in family(GROUPS[group]) if "kind" in vars(kind)}


def family(ancestor: type[parts.Part]) -> Iterator[type[parts.Part]]:
    """A class and all that descend from it, the elder first."""
    yield ancestor
    for child in ancestor.__subclasses__():
        yield from family(child)


def part_from(group: str, value: Any, present: parts.Part) -> parts.Part:
    """A part from a Part, a kind's name, or a dict of fields that may name its kind."""
    if isinstance(value, parts.Part):
        return value
    given = dict(value) if isinstance(value, dict) else {"kind": value}
    kind = given.pop("kind", present.kind)
    if not isinstance(kind, str) or kind not in kinds(group):
        raise unknown(group, str(kind), kinds(group))
    new = kinds(group)[kind]
    known = declared(new)
    for name in given:
        if name not in known:
            raise unknown(f"field of {group} {kind!r}", name, known)
    return replace(present, **given) if kind == present.kind else new(**(carried(present, new) | given))


def carried(present: parts.Part, new: type[parts.Part]) -> dict[str, Any]:
    """What a part keeps when its kind changes: fields that both kinds have with one default, as epochs; not as lr."""
    here, there = declared(type(present)), declared(new)
    same = [name for name in here if name in there and here[name].default == there[name].default]
    return {name: getattr(present, name) for name in same}


def with_leaves(held: dict[str, parts.Part], changes: dict[str, Any]) -> dict[str, parts.Part]:
    """The parts, each with the changes to fields of its own."""
    by_group: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        group = home(held, name)
        check_choice(group, held[group].kind, name, value)
        by_group.setdefault(group, {})[name] = value
    return held | {group: replace(held[group], **values) for group, values in by_group.items()}


def check_choice(group: str, kind: str, name: str, value: Any) -> None:
    """Refuses a choice that only another kind of the part offers, and says which."""
    offered = {other: choices(declared(part)[name]) for other, part in kinds(group).items() if name in declared(part)}
    others = [other for other, offer in offered.items() if value in offer]
    if offered[kind] and value not in offered[kind] and others:
        here = f"and this spec has {group} {kind!r}"
        raise Refusal(
            f"{name} = {value!r} is a choice of {group} {' or '.join(map(repr, others))}, {here}: change {group} too"
        )


def home(held: dict[str, parts.Part], name: str) -> str:
    """The group whose part has the field `name`."""
    owners = [(group, kind) for group, kind, field in every_field() if field.name == name]
    for group, kind in owners:
        if held[group].kind == kind:
            return group
    if owners:
        group, others = owners[0][0], " or ".join(repr(kind) for _, kind in owners)
        here = f"this spec has {group} {held[group].kind!r}"
        raise Refusal(f"{name} is a field of {group} {others}, and {here}: change {group} too")
    names = {field.name for _, kind, field in every_field() if kind not in PASSED} | set(GROUPS) | {"seeds", "name"}
    raise unknown("Spec field", name, names)


def every_field() -> Iterator[tuple[str, str, Field]]:
    """(group, kind, field) of every kind there is."""
    for group in GROUPS:
        for kind, part in kinds(group).items():
            for field in declared(part).values():
                yield group, kind, field


def differences(ours: Spec, theirs: Spec) -> list[str]:
    """`field: our value, their value` for whatever sets two specs apart in identity."""
    here, there = flatten(ours.identity()), flatten(theirs.identity())
    names = [name for name in here | there if here.get(name) != there.get(name)]
    return [f"{name} is {there.get(name, 'absent')} there and {here.get(name, 'absent')} here" for name in names]


def flatten(identity: dict[str, Any]) -> dict[str, Any]:
    return {f"{group}.{name}": value for group, part in identity.items() for name, value in part.items()}
