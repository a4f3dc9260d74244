"""Finds the tensors in what torch pickled, and says where the bytes of each lie."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.entry import BITS, Entry, Record, length, shown, sizes
from rmtlottery.tickets.pickles import DATA, Call, Name, Outside, Stranger

DEPTH = 16
NESTS = ("state_dict", "model", "module", "model_state_dict")
DTYPES = {f"torch {dtype}": dtype for dtype in BITS}
STORED = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
}
STORED |= {"Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool", "ComplexFloat": "complex64"}
STORED |= {"ComplexDouble": "complex128", "QInt8": "int8", "QUInt8": "uint8", "QInt32": "int32"}
STORAGES = {f"{room} {kind}Storage": dtype for room in ("torch", "torch.cuda") for kind, dtype in STORED.items()}
STORAGES |= {"torch.storage UntypedStorage": "uint8", "torch UntypedStorage": "uint8"}
PLAIN = {"torch._utils _rebuild_tensor": 4, "torch._utils _rebuild_tensor_v2": 4, "torch._utils _rebuild_tensor_v3": 7}
WRAPPED = ("torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state")
TYPED = "torch._tensor _rebuild_from_type_v2"
OTHER = {
    "torch._utils _rebuild_sparse_tensor": "sparse",
    "torch._utils _rebuild_qtensor": "quantised",
    "torch._utils _rebuild_nested_tensor": "nested",
    "torch._utils _rebuild_wrapper_subclass": "of a class of its own",
    "torch._utils _rebuild_meta_tensor_no_storage": "without data",
    "torch._utils _rebuild_device_tensor_from_numpy": "of another device",
    "torch._utils _rebuild_device_tensor_from_cpu_tensor": "of another device",
}
REBUILT = {*PLAIN, *WRAPPED, TYPED, *OTHER}
QUANTISED = {f"torch {dtype}" for dtype in ("qint8", "quint8", "qint32", "quint4x2", "quint2x4")}
LAYOUTS = {f"torch {layout}" for layout in ("strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc")}
KNOWN = {*DATA, *DTYPES, *STORAGES, *REBUILT, *QUANTISED, *LAYOUTS}

Records = Mapping[str, Record]


def entries(path: Path, value: Any, records: Records) -> tuple[dict[str, Entry], list[str]]:
    """The tensors of a state dict, wherever in `value` it is; `records` are the storages by their keys."""
    found, faults = {}, []
    for name, call in tensors(value).items():
        try:
            found[name] = entry(path, name, call, records)
        except ValueError as fault:
            faults.append(f"{shown(path)}: tensor {shown(name)}: {fault}")
    return found, faults


def stranger(path: Path, found: Stranger) -> Refusal:
    """The refusal of a pickle that asks for more than tensors and plain data."""
    held = f"{shown(path)} holds more than tensors: it asks for {shown(found)}, and nothing of it was executed"
    return Refusal(f"{held}; who made it can write its tensors alone by torch.save(model.state_dict(), ...)")


def tensors(value: Any) -> dict[str, Call]:
    """The tensors by name. A dictionary of a usual name, or one that alone holds tensors, is gone into and not named."""
    if tensor(value):
        return {"tensor": value}
    found = list(flat(value))
    while nest := nested([path for path, _ in found]):
        found = [(path[1:], call) for path, call in found if path[0] == nest and len(path) > 1]
    return {".".join(path): call for path, call in found}


def nested(paths: list[tuple[str, ...]]) -> str | None:
    """The name of the dictionary that holds the weights; none where they stand beside each other."""
    outer = list(dict.fromkeys(path[0] for path in paths if len(path) > 1))
    if usual := [name for name in NESTS if name in outer]:
        return usual[0]
    return outer[0] if len(outer) == 1 and all(len(path) > 1 for path in paths) else None


def flat(value: Any) -> Iterator[tuple[tuple[str, ...], Call]]:
    """The tensors by the names that lead to them; each dictionary once, and none by number, as the optimiser's are."""
    todo: list[tuple[tuple[str, ...], Any]] = [((), value)]
    seen = {id(value)}
    while todo:
        path, held = todo.pop()
        below = []
        for key, item in held.items() if isinstance(held, dict) else ():
            if isinstance(key, str) and tensor(item):
                yield (*path, key), item
            elif isinstance(key, str) and isinstance(item, dict) and id(item) not in seen and len(path) < DEPTH:
                seen.add(id(item))
                below.append(((*path, key), item))
        todo += reversed(below)


def tensor(value: Any) -> bool:
    return isinstance(value, Call) and value.name in REBUILT


def entry(path: Path, name: str, call: Call, records: Records) -> Entry:
    """One tensor, believed only as far as its storage bears it out."""
    call = unwrapped(call)
    if call.name in OTHER:
        return Entry(path, name, OTHER[call.name], (), 0, 0)
    dtype, key, offset, shape, strides = claims(call)
    if key not in records:
        raise ValueError(f"its storage {shown(key)} is missing or damaged")
    record, bits = records[key], BITS[dtype]
    held = (record.stop - record.start) * 8 // bits
    reach = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True)) + 1 if math.prod(shape) else 0
    if offset + reach > held or math.prod(shape) > held:
        asked = max(offset + reach, math.prod(shape))
        raise ValueError(f"it takes {shown(asked)} entries of a storage that has {held}")
    start = record.start + offset * bits // 8
    if solid(shape, strides):
        return Entry(path, name, dtype, shape, start, start + length(dtype, shape), None, record)
    return Entry(path, name, dtype, shape, start, start + length(dtype, (reach,)), strides, record)


def unwrapped(call: Any) -> Call:
    """The tensor in a parameter, or in a tensor with attributes."""
    while tensor(call) and (call.name in WRAPPED or call.name == TYPED):
        if call.name == TYPED and len(call.arguments) > 2 and isinstance(call.arguments[0], Name):
            call = Call(call.arguments[0].text, call.arguments[2])
        else:
            call = call.arguments[0] if call.name in WRAPPED and call.arguments else None
    if not tensor(call) or not isinstance(call.arguments, tuple):
        raise ValueError("it is no tensor that torch writes")
    return call


def claims(call: Call) -> tuple[str, str, int, tuple[int, ...], tuple[int, ...]]:
    """What a tensor says of itself: type, key of its storage, offset, shape and strides."""
    if len(call.arguments) < PLAIN[call.name]:
        raise ValueError("it lacks its shape")
    storage, offset, shape, strides = call.arguments[:4]
    kind, key = storage_of(storage)
    given = call.arguments[6] if call.name.endswith("v3") else None
    dtype = DTYPES.get(given.text) if isinstance(given, Name) else STORAGES.get(kind)
    if dtype is None or dtype not in BITS:
        raise ValueError("its type is unknown")
    if not sizes((offset,)) or not sizes(shape) or not sizes(strides) or len(shape) != len(strides):
        raise ValueError("its offset, shape and strides are no sizes")
    return dtype, key, offset, tuple(shape), tuple(strides)


def storage_of(storage: Any) -> tuple[str, str]:
    """(type, key) of a storage: torch's note is ("storage", type, key, device, entries) and, before 1.6, a view."""
    note = storage.identity if isinstance(storage, Outside) else ()
    if not isinstance(note, tuple) or len(note) not in (5, 6) or note[5:] not in ((), (None,)):
        raise ValueError("its storage is none that torch writes")
    if note[0] != "storage" or not isinstance(note[1], Name) or not isinstance(note[2], str):
        raise ValueError("its storage is none that torch writes")
    return note[1].text, note[2]


def solid(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether the entries lie in one piece, the last axis fastest."""
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != step:
            return False
        step *= size
    return True
