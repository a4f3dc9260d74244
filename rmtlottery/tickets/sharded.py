"""Checkpoints in several files, and the one that is meant where a folder is named."""

from pathlib import Path

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import formats
from rmtlottery.tickets.entry import Entry, named, reading, regular, shown
from rmtlottery.tickets.json_object import LIMIT, Object, parse

INDEX = ".index.json"
USUAL = ("model.safetensors", f"model.safetensors{INDEX}", "pytorch_model.bin", f"pytorch_model.bin{INDEX}")
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", INDEX)


def entries(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """The tensors of a file, an index of files, or a folder with one of these; and a sentence for each that is damaged."""
    with reading(path):
        path = chosen(path) if path.is_dir() else path
    return shards(path) if path.name.endswith(INDEX) else formats.entries(path)


def chosen(folder: Path) -> Path:
    """The checkpoint of a folder: the one of a usual name, or the only one."""
    able = checkpoints(folder)
    usual = [name for name in USUAL if name in able]
    indices = [name for name in able if name.endswith(INDEX)]
    for names in (usual[:1], indices, able):
        if len(names) == 1:
            return folder / names[0]
    there = sorted(path.name for path in folder.iterdir())
    held = ", ".join(map(shown, there[:10])) + (f" and {len(there) - 10} more" if len(there) > 10 else "")
    raise Refusal(f"{shown(folder)} holds {len(able)} checkpoints, not one: name one of what is there ({held or 'nothing'})")


def checkpoints(folder: Path) -> list[str]:
    """Names in a folder that promise tensors."""
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(SUFFIXES))


def shards(path: Path) -> tuple[dict[str, Entry], list[str]]:
    """The tensors that an index names, from the files where it says that they are."""
    wanted, faults = places(path)
    found: dict[str, Entry] = {}
    for shard, names in grouped(wanted).items():
        try:
            held, damaged = formats.entries(inside(path, shard))
        except Refusal as fault:
            faults.append(str(fault))
            continue
        found |= {name: held[name] for name in held if name in names}
        faults += damaged + missing(path.parent / shard, names - set(held), damaged)
        twice = [name for name in held if wanted.get(name, shard) != shard]
        faults += [f"{held[name].where}: it is also here, and the index says {shown(wanted[name])}" for name in twice]
    return found, faults


def grouped(wanted: dict[str, str]) -> dict[str, set[str]]:
    """The names of each file, the files in the order of their names."""
    found: dict[str, set[str]] = {shard: set() for shard in sorted(set(wanted.values()))}
    for name, shard in wanted.items():
        found[shard].add(name)
    return found


def missing(shard: Path, names: set[str], damaged: list[str]) -> list[str]:
    """A sentence for each name that the index puts in a file and the file does not hold, if none says more of it."""
    said = {": ".join(fault.split(": ")[:2]) for fault in damaged}
    starts = [f"{shown(shard)}: tensor {shown(name)}" for name in sorted(names)]
    return [f"{start}: the index names it and the file lacks it" for start in starts if start not in said]


def places(path: Path) -> tuple[dict[str, str], list[str]]:
    """Which file each tensor is in, and a sentence for each name that has none."""
    given = index(path)
    faults = [f"{shown(path)}: tensor {shown(name)}: the index names it more than once" for name in sorted(given.twice)]
    wanted, alike = named(path, ((name, file) for name, file in given.items() if name not in given.twice))
    faults += alike
    faults += [f"{shown(path)}: tensor {name}: its file is no name" for name in wanted if not isinstance(wanted[name], str)]
    return {name: file for name, file in wanted.items() if isinstance(file, str)}, faults


def index(path: Path) -> Object:
    """The weight_map of an index."""
    with reading(path):
        regular(path)
        with open(path, "rb") as file:
            content = file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise Refusal(f"{shown(path)} is no index: it is longer than {LIMIT} bytes")
    try:
        given = parse(content).get("weight_map")
    except ValueError as error:
        raise Refusal(f"{shown(path)} is damaged: it is not JSON ({shown(error)})") from None
    if not isinstance(given, Object):
        raise Refusal(f"{shown(path)} is no index: it has no weight_map from names to files")
    return given


def inside(path: Path, shard: str) -> Path:
    """The shard's path, if it leads to a file of the index's folder, or of the store that a hub's download links to."""
    try:
        folder = path.parent.resolve()
        real = (folder / shard).resolve()
    except (OSError, ValueError, RuntimeError):
        raise Refusal(f"{shown(path)}: its file {shown(shard)} is no name of a file") from None
    store = folder.parent.parent / "blobs" if folder.parent.name == "snapshots" else folder
    if not real.is_relative_to(folder) and real.parent != store:
        raise Refusal(f"{shown(path)}: its file {shown(shard)} lies outside {shown(path.parent)} and is not read")
    return path.parent / shard
