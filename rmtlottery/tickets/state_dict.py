"""Finds the tensors in what torch pickled, and says where the bytes of each lie."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.entry import BITS, Entry, Record, length, named, shown, sizes
from rmtlottery.tickets.pickles import Call, Name, Outside, Stranger

NAMES = {
    "argparse": "Namespace",
    "builtins __builtin__": "bool bytearray bytes complex dict float frozenset int list long object set slice str tuple",
    "_codecs": "encode",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg copy_reg": "_reconstructor",
    "datetime": "date datetime timedelta",
    "numpy": "dtype ndarray",
    "numpy.core.numeric numpy._core.numeric": "_frombuffer",
    "numpy.core.multiarray numpy._core.multiarray": "_reconstruct scalar",
    "pathlib pathlib._local": "Path PosixPath PurePosixPath WindowsPath",
    "torch": "Size Tensor device per_channel_affine per_channel_affine_float_qparams per_tensor_affine per_tensor_symmetric",
    "torch.nn.parameter": "Buffer Parameter",
    "torch.serialization": "_get_layout",
    "torch.torch_version": "TorchVersion",
}
DATA = {f"{room} {name}" for rooms, names in NAMES.items() for room in rooms.split() for name in names.split()}

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
Names = tuple[str, ...]


def entries(path: Path, value: Any, records: Records) -> tuple[dict[str, Entry], list[str]]:
    """The tensors of a state dict, wherever in `value` it is; `records` are the storages by their keys.

    An entry that is left out has, in place of its type, the words that say where it is.
    """
    taken, left = tensors(value)
    calls, faults = named(path, taken)
    found = {}
    for name, call in calls.items():
        try:
            found[name] = entry(path, name, call, records)
        except ValueError as fault:
            faults.append(f"{shown(path)}: tensor {name}: {fault}")
    known = {name for name, _ in taken}
    for name, place in left:
        if name in known:
            faults.append(f"{shown(path)}: tensor {name}: another one of this name is {place}")
        known.add(name)
        found.setdefault(name, Entry(path, name, place, (), 0, 0))
    return found, faults


def stranger(path: Path, found: Stranger) -> Refusal:
    """The refusal of a pickle that asks for more than tensors and plain data."""
    held = f"{shown(path)} holds more than tensors: it asks for {shown(found)}, and nothing of it was executed"
    return Refusal(f"{held}; who made it can write its tensors alone by torch.save(model.state_dict(), ...)")


def tensors(value: Any) -> tuple[list[tuple[str, Call]], list[tuple[str, str]]]:
    """The tensors with their names, and the names of others with the place that they are left in.

    A dictionary of a usual name, or one that alone holds tensors, is gone into and not named.
    """
    if tensor(value):
        return [("tensor", value)], []
    everything = list(flat(value))
    found = [(path, call) for path, call, listed in everything if not listed]
    left = [(dotted(path) or "list", "in a list") for path, _, listed in everything if listed]
    while nest := nested([path for path, _ in found]):
        left += [(dotted(path), beside(path, nest)) for path, _ in found if path[0] != nest or len(path) == 1]
        found = [(path[1:], call) for path, call in found if path[0] == nest and len(path) > 1]
    return [(dotted(path), call) for path, call in found], left


def dotted(path: Names) -> str:
    return shown(".".join(path))


def beside(path: Names, nest: str) -> str:
    """Where a tensor is that is not in the dictionary that was taken."""
    return f"in '{path[0]}', beside '{nest}' that was taken" if len(path) > 1 else f"beside '{nest}' that was taken"


def nested(paths: list[Names]) -> str | None:
    """The name of the dictionary that holds the weights; none where they stand beside each other."""
    outer = list(dict.fromkeys(path[0] for path in paths if len(path) > 1))
    if usual := [name for name in NESTS if name in outer]:
        return usual[0]
    return outer[0] if len(outer) == 1 and all(len(path) > 1 for path in paths) else None


def flat(value: Any) -> Iterator[tuple[Names, Call, bool]]:
    """The tensors by the names that lead to them, and whether through a list; of a list, its first tensor stands for all.

    Each dictionary is gone through once, and none by number, as the optimiser's are.
    """
    todo: list[tuple[Names, Any, bool]] = [((), value, False)]
    seen = {id(value)}
    while todo:
        path, held, listed = todo.pop()
        if isinstance(held, list | tuple) and (first := next(filter(tensor, held), None)):
            yield path, first, True
        below = []
        for key, item, within in members(held):
            if tensor(item):
                yield (*path, key), item, listed
            elif isinstance(item, dict | list | tuple) and id(item) not in seen and len(path) < DEPTH:
                seen.add(id(item))
                below.append(((*path, key), item, listed or within))
        todo += reversed(below)


def members(held: Any) -> Iterator[tuple[str, Any, bool]]:
    """What a dictionary has under names, or a list beside its tensors; and whether it is a list's."""
    if isinstance(held, dict):
        yield from ((shown(key), item, False) for key, item in held.items() if isinstance(key, str))
    elif isinstance(held, list | tuple):
        yield from ((str(place), item, True) for place, item in enumerate(held) if not tensor(item))


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
    for _ in range(DEPTH):
        if not tensor(call) or not isinstance(call.arguments, tuple):
            break
        given = call.arguments
        if call.name == TYPED:
            call = Call(given[0].text, given[2]) if len(given) > 2 and isinstance(given[0], Name) else None
        elif call.name in WRAPPED:
            call = given[0] if given else None
        else:
            return call
    raise ValueError("it is no tensor that torch writes")


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
