"""`Run`: a folder of tickets, written once, resumable."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import disk
from rmtlottery.tickets.layout import free_name, nearby, place, sidecars, start_file, stem
from rmtlottery.tickets.lock import locked
from rmtlottery.tickets.presets import label
from rmtlottery.tickets.spec import VERSION, Spec, differences
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd

Records = dict[tuple[int, int], dict[str, Any]]  # (seed, level) -> sidecar


class Run:
    """The tickets under `path`. `run[seed, level]` is one; iteration yields every finished one, in order."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / "spec.json").is_file():
            what = "it is a file" if self.path.is_file() else "it holds no spec.json"
            raise Refusal(f"{self.path} is no run, which is a folder that training made: {what}{nearby(self.path)}")
        self.spec = read_spec(self.path / "spec.json")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}: {len(self.records())} tickets, seeds {self.seeds}, levels {self.levels})"

    @classmethod
    def open(cls, root: str | Path, spec: Spec) -> "Run":
        """The run of this spec in root/NAME, made if it is not there; seeds may be added to one that is."""
        name = label(spec)
        path = Path(root) / name
        path.mkdir(parents=True, exist_ok=True)
        with alone(path):
            if not (path / "spec.json").exists():
                disk.write(path / "spec.json", spec.but(name=name).to_json().encode())
            run = cls(path)
            if apart := differences(spec, run.spec):
                free = free_name(root, name)
                raise Refusal(f"{path} holds another spec ({'; '.join(apart)}); take --name {free}")
            if added := tuple(seed for seed in spec.seeds if seed not in run.spec.seeds):
                run.spec = run.spec.but(seeds=run.spec.seeds + added)
                disk.write(path / "spec.json", run.spec.to_json().encode())
        return run

    def __getitem__(self, place: tuple[int, int]) -> Ticket:
        seed, level = place
        record = self.record(seed, level)
        if record is None:
            there = f"it has seeds {self.seeds}, levels {self.levels}"
            raise Refusal(f"{self.path} has no ticket of seed {seed}, level {level}; {there}")
        if record["status"] != "done":
            raise Refusal(f"{self.path} has no ticket there: {ending(record)}")
        return Ticket(self.spec, seed, level, self.path, record, self.readers(seed, level, record))

    def __iter__(self) -> Iterator[Ticket]:
        return (self[seed, level] for (seed, level), record in self.records().items() if record["status"] == "done")

    def __len__(self) -> int:
        return sum(record["status"] == "done" for record in self.records().values())

    def at(self, density: float) -> list[Ticket]:
        """The tickets, one a seed, of the level whose density is nearest to `density`."""
        tickets = list(self)
        if not tickets:
            raise Refusal(f"{self.path} holds no finished ticket yet")
        level = min(tickets, key=lambda ticket: abs(ticket.density - density)).level
        return [ticket for ticket in tickets if ticket.level == level]

    def units(self) -> list[dict[str, Any]]:
        """The units of work that the run is divided into; if that file is damaged, those that its tickets name."""
        path = self.path / "units.json"
        try:
            return disk.read_sealed(path)["units"] if path.exists() else []
        except Refusal:
            named: dict[tuple[int, ...], dict[str, Any]] = {}
            for record in self.records().values():
                named.setdefault(tuple(record["unit"]["seeds"]), record["unit"])
            return list(named.values())

    def write_units(self, units: list[dict[str, Any]]) -> None:
        disk.write_sealed(self.path / "units.json", {"units": units})

    @property
    def seeds(self) -> list[int]:
        return sorted({seed for seed, _ in self.records()})

    @property
    def levels(self) -> list[int]:
        return sorted({level for _, level in self.records()})

    @property
    def metrics(self) -> "pd.DataFrame":
        """seed, level, density, epoch, step, lr, and the loss and accuracy of each split: one row an epoch."""
        return rows(self.records(), "metrics")

    @property
    def connectivity(self) -> "pd.DataFrame":
        """seed, level, density, layer, kept, in-degrees, dead units, path-connected density: one row a layer."""
        return rows(self.records(), "connectivity")

    def records(self) -> Records:
        """The sidecar of every level that ended, damaged ones left out: `faults` names them."""
        found = {}
        for path in sidecars(self.path):
            try:
                found[place(path)] = disk.read_sealed(path)
            except Refusal:
                continue
        return found

    def record(self, seed: int, level: int) -> dict[str, Any] | None:
        path = stem(self.path, seed, level).with_suffix(".json")
        return disk.read_sealed(path) if path.exists() else None

    def status(self, seed: int, level: int) -> str:
        """done, diverged, missing or damaged: what the sidecar says, the tensors unread."""
        try:
            record = self.record(seed, level)
        except Refusal:
            return "damaged"
        return record["status"] if record else "missing"

    def fault(self, seed: int, level: int) -> str:
        """What is wrong with a ticket that is there, every byte of it read; nothing if it is whole."""
        try:
            self.check(seed, level)
        except Refusal as fault:
            return str(fault)
        return ""

    def check(self, seed: int, level: int) -> None:
        """Refuses a ticket whose tensors are not those its sidecar was written for, or whose parent is another."""
        ticket = self[seed, level]
        for part in set(ticket.read) - {"init", "start"}:
            ticket.read[part]()
        if level and not self.taken and ticket.record["parent"] != self.fingerprint(seed, level - 1):
            here = f"{stem(self.path, seed, level)} descends from another level {level - 1} than the one beside it"
            raise Refusal(f"{here}; {disk.REBUILD}")

    def faults(self) -> list[str]:
        """A sentence for every level that ended badly, for every file that is damaged, and for what is not there yet."""
        found = [self.fault(*place(path)) for path in sidecars(self.path)]
        missing = list(self.missing())
        if missing:
            (seed, level), wanted = missing[0], len(self.places)
            first = f"the first is seed {seed}, level {level}"
            found.append(
                f"{self.path}: {len(missing)} of {wanted} tickets are not there yet ({first}); train on to have them"
            )
        return list(dict.fromkeys(fault for fault in found if fault))

    def missing(self) -> Iterator[tuple[int, int]]:
        """What the spec asks for and nothing stands for: no ticket, no record of a seed that diverged before."""
        ended = set()
        for seed, level in self.places:
            status = self.status(seed, level)
            if status == "diverged" and not self.taken:
                ended.add(seed)
            if status == "missing" and seed not in ended:
                yield seed, level

    @property
    def places(self) -> list[tuple[int, int]]:
        """(seed, level) of every ticket that the spec asks for, or was given the start of."""
        asked = [(seed, level) for seed in self.spec.seeds for level in self.spec.levels]
        return [place for place in asked if not self.taken or start_file(self.path, *place).exists()]

    @property
    def taken(self) -> bool:
        """Every level starts from a ticket that was given, not from the level before."""
        return self.spec.origin.kind == "taken"

    def fingerprint(self, seed: int, level: int) -> str:
        """The SHA-256 of a ticket's weights."""
        return self[seed, level].record["sha256"]["weights"]

    def write(self, record: dict[str, Any], parts: Mapping[str, Weights], snapshots: Mapping[int, Weights]) -> None:
        """Leave one ticket on disk: weights, mask, coordinates where there are few. The sidecar comes last."""
        parts = {**parts, "mask": {name: disk.pack(value) for name, value in parts["mask"].items()}}
        parts |= {f"snapshots/{step}": value for step, value in snapshots.items()}
        tensors = {f"{part}/{name}": value for part, held in parts.items() for name, value in held.items()}
        hashes = {part: disk.fingerprint(held) for part, held in parts.items()}
        path = stem(self.path, record["seed"], record["level"])
        disk.write_tensors(path.with_suffix(".safetensors"), tensors)
        disk.write_sealed(path.with_suffix(".json"), {"version": VERSION, "status": "done", "sha256": hashes} | record)

    def write_end(self, record: dict[str, Any], status: str) -> None:
        """Record that a seed ended here without a ticket."""
        path = stem(self.path, record["seed"], record["level"]).with_suffix(".json")
        disk.write_sealed(path, {"version": VERSION, "status": status} | record)

    def write_tables(self) -> None:
        records = self.records()
        for name in ("metrics", "connectivity"):
            disk.write(self.path / f"{name}.csv", rows(records, name).to_csv(index=False).encode())

    def readers(self, seed: int, level: int, record: dict[str, Any]) -> dict[str, Any]:
        """How each part of a ticket is read. init and start are snapshots of level 0, or of a level given its own."""
        read = partial(self.read_part, stem(self.path, seed, level).with_suffix(".safetensors"), record)
        source = level if self.taken else 0
        first = record if source == level else self.record(seed, source)
        origin = partial(self.read_part, stem(self.path, seed, source).with_suffix(".safetensors"), first)
        steps = [int(part.partition("/")[2]) for part in record["sha256"] if part.startswith("snapshots/")]
        reached = {"coordinates": lambda: read("coordinates")["theta"]} if "coordinates" in record["sha256"] else {}
        return reached | {
            "weights": partial(read, "weights"),
            "mask": partial(self.read_mask, read, record),
            "snapshots": lambda: {step: read(f"snapshots/{step}") for step in steps},
            "init": partial(origin, "snapshots/0"),
            "start": partial(origin, f"snapshots/{record['start_step']}"),
        }

    def read_part(self, path: Path, record: dict[str, Any] | None, part: str) -> Weights:
        if record is None or not path.exists():
            raise Refusal(f"{path} is missing; {disk.REBUILD}")
        held = disk.read_tensors(path, f"{part}/")
        if disk.fingerprint(held) != record["sha256"].get(part):
            raise Refusal(
                f"{path} is altered: its {part} do not give the SHA-256 that {path.stem}.json records; {disk.REBUILD}"
            )
        return held

    def read_mask(self, read: Any, record: dict[str, Any]) -> Weights:
        bits = read("mask")
        return {name: disk.unpack(bits[name], tuple(shape)) for name, shape in record["masked"].items()}


def rows(records: Records, table: str) -> "pd.DataFrame":
    import pandas as pd

    keys = ("seed", "level", "density")
    return pd.DataFrame([{key: r[key] for key in keys} | row for r in records.values() for row in r[table]])


def alone(run: Path) -> AbstractContextManager[None]:
    """One process at a time decides what a run is: its spec, its seeds, its units."""
    return locked(run / "spec.lock")


def read_spec(path: Path) -> Spec:
    try:
        return Spec.from_json(path.read_text())
    except (Refusal, OSError, UnicodeDecodeError) as refusal:
        raise Refusal(f"{path}: {refusal}; put back the spec that the run was made with, or take another name") from None


def ending(record: dict[str, Any]) -> str:
    return f"seed {record['seed']} {record['status']} in level {record['level']} at step {record['step']}"
