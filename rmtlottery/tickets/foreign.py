"""`load`: a Ticket of a checkpoint that nobody here trained. Tensors are read one at a time, and no pickle is executed."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import sharded
from rmtlottery.tickets.entry import Entry, shown
from rmtlottery.tickets.json_object import LIMIT, parse
from rmtlottery.tickets.layout import sidecars
from rmtlottery.tickets.lazy import Lazy, Read
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import torch

FLOATS = ("float16", "bfloat16", "float32", "float64")
MASKS = (*FLOATS, "bool", "uint8", "int8", "int16", "int32", "int64")
PIECE = 1 << 18
SPEC = {"version", "net", "data"}

Entries = Mapping[str, Entry]


def load(path: str | Path, *, mask: str | Path | None = None) -> Ticket:
    """The layers of a .safetensors file, a file of `torch.save`, an index of shards, or a folder with one of them.

    A layer is a floating tensor of two or more axes. Its mask is `mask`'s tensor of that name (or NAME_mask), or the
    NAME_mask beside a NAME_orig, as torch's pruning writes them, or all ones: zeros among the weights are no mask.
    `record["faults"]` are sentences on what is damaged, `record["skipped"]` is what is no layer. The density is that of
    the layers that a mask is given for.
    """
    found, faults = sharded.entries(Path(path))
    tensors, masks = paired(found)
    skipped = [{"tensor": name, "why": why} for name, held in tensors.items() if (why := no_layer(name, held, faults))]
    if mask is not None:
        given, strange = matched(Path(mask), tensors, masks)
        masks, faults = masks | given, faults + strange
    out = {held["tensor"] for held in skipped}
    layers = {name: held for name, held in tensors.items() if name not in out}
    density, wrong = counted(layers, {name: masks[name] for name in layers if name in masks})
    faults += wrong.values()
    layers = {name: held for name, held in layers.items() if name not in wrong}
    if not layers:
        raise Refusal(nothing(Path(path), faults, skipped))
    record = {"density": density, "metrics": [], "connectivity": [], "chart": {}, "faults": faults, "skipped": skipped}
    return Ticket(None, None, 0, Path(path), record, readers(layers, masks))


def is_checkpoint(path: str | Path) -> bool:
    """Whether it is to be loaded, and not opened as a run: a file that no run holds, or a folder with such files."""
    path = Path(path)
    if any(is_run(folder) for folder in (path, *path.absolute().parents[:2])):
        return False
    return path.is_file() or (path.is_dir() and bool(sharded.checkpoints(path)))


def is_run(folder: Path) -> bool:
    """Whether training made the folder; others call a file spec.json, too. A run whose own is damaged has its sidecars."""
    file = folder / "spec.json"
    if not file.is_file():
        return False
    if any(sidecars(folder)):
        return True
    try:
        with open(file, "rb") as content:
            return set(parse(content.read(LIMIT))) >= SPEC
    except (OSError, ValueError):
        return False


def readers(layers: Entries, masks: Entries) -> dict[str, Lazy]:
    weights: dict[str, Read] = {name: partial(weight, held, masks.get(name)) for name, held in layers.items()}
    kept: dict[str, Read] = {
        name: partial(truth, masks[name]) if name in masks else partial(ones, held.shape) for name, held in layers.items()
    }
    return {"weights": Lazy(weights), "mask": Lazy(kept)}


def paired(found: Entries) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Tensors and their masks: a NAME_orig and a NAME_mask are NAME and its mask."""
    names = [name.removesuffix("_orig") for name in found if name.endswith("_orig")]
    pruned = {name for name in names if f"{name}_mask" in found and name not in found}
    masks = {name: found[f"{name}_mask"] for name in names if name in pruned}
    apart = {f"{name}_mask" for name in pruned}
    tensors = {}
    for name, held in found.items():
        plain = name.removesuffix("_orig")
        if name not in apart:
            tensors[plain if plain in pruned else name] = held
    return tensors, masks


def matched(path: Path, tensors: Entries, own: Entries) -> tuple[dict[str, Entry], list[str]]:
    """The masks of a checkpoint of masks by the names of what they mask."""
    found, faults = sharded.entries(path)
    given = {}
    for name, held in found.items():
        plain = name if name in tensors else name.removesuffix("_mask")
        if plain not in tensors:
            faults.append(f"{held.where}: the checkpoint has no tensor of this name to mask")
        elif plain in own or plain in given:
            faults.append(f"{held.where}: what it masks has another mask already, and that is taken")
        else:
            given[plain] = held
    return given, faults


def no_layer(name: str, held: Entry, faults: list[str]) -> str:
    """Why a tensor is no layer; nothing if it is one."""
    if held.dtype not in FLOATS:
        return f"it is {held.dtype}"
    if len(held.shape) < 2:
        return "it is a single number" if not held.shape else "it has one axis"
    if not all(held.shape):
        return "it has no entries"
    lost = f"tensor {shown(name.removesuffix('_orig') + '_mask')}: "
    return "its mask is damaged" if name.endswith("_orig") and any(lost in fault for fault in faults) else ""


def counted(layers: Entries, masks: Entries) -> tuple[float, dict[str, str]]:
    """Kept over all of the layers that a mask is given for; and a sentence for each whose mask is none."""
    kept, total, wrong = 0, 0, {}
    for name, held in masks.items():
        try:
            if held.shape != layers[name].shape:
                raise Refusal(
                    f"{held.where}: a mask of shape {held.shape} is given for weights of shape {layers[name].shape}"
                )
            mask = truth(held)
        except Refusal as fault:
            wrong[name] = str(fault)
            continue
        kept, total = kept + int(mask.count_nonzero()), total + mask.numel()
    return kept / total if total else 1.0, wrong


def weight(held: Entry, mask: Entry | None) -> "torch.Tensor":
    """A layer, with exact zeros outside its mask."""
    value = held.read()
    if not finite(value):
        strange = amount(value, infinite)
        raise Refusal(f"{held.where}: {strange} of its {value.numel()} entries are NaN or infinite")
    return value if mask is None else value.masked_fill_(truth(mask).logical_not_(), 0)


def truth(held: Entry) -> "torch.Tensor":
    """A mask as booleans, of whatever type it is written in."""
    import torch

    if held.dtype not in MASKS:
        raise Refusal(f"{held.where}: it is {held.dtype}, and a mask is of booleans, whole numbers or floats")
    value = held.read()
    value = value.view(torch.uint8) if value.dtype == torch.bool else value
    if strange := amount(value, neither):
        raise Refusal(f"{held.where}: {strange} of its {value.numel()} entries are neither 0 nor 1, so it is no mask")
    return value != 0


def ones(shape: tuple[int, ...]) -> "torch.Tensor":
    """A mask that keeps everything, in one byte."""
    import torch

    return torch.ones((), dtype=torch.bool).expand(shape)


def finite(values: "torch.Tensor") -> bool:
    """In one pass that writes nothing: NaN is both the least and the largest."""
    return all(bool(end.isfinite()) for end in values.aminmax())


def infinite(values: "torch.Tensor") -> "torch.Tensor":
    return values.isfinite().logical_not_()


def neither(values: "torch.Tensor") -> "torch.Tensor":
    return (values != 0) & (values != 1)


def amount(value: "torch.Tensor", strange: Callable[["torch.Tensor"], "torch.Tensor"]) -> int:
    """How many entries are strange, without another tensor of this size."""
    return sum(int(strange(piece).count_nonzero()) for piece in value.view(-1).split(PIECE))


def nothing(path: Path, faults: list[str], skipped: list[dict[str, str]]) -> str:
    """The refusal of a checkpoint without a layer."""
    reasons = faults[:3] or [f"{shown(held['tensor'])}: {held['why']}" for held in skipped[:3]] or ["it holds no tensor"]
    return f"{shown(path)} has no layer, which is a floating tensor of two or more axes: {'; '.join(reasons)}"
