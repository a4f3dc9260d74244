"""Bytes on disk: written whole or not at all, hashed by content, read without ever executing anything."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmtlottery.refusal import Refusal

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]
REBUILD = "run the training command again and only that is rebuilt"


def write(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step: a reader, or a crash, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """JSON with a hash of its own content, so that an altered file is seen."""
    write(path, json.dumps(value | {"seal": seal(value)}, indent=1).encode())


def read_sealed(path: Path) -> dict[str, Any]:
    held = read_json(path)
    if not isinstance(held, dict) or held.pop("seal", None) != seal(held):
        raise Refusal(f"{path} is altered: its content does not give the seal in it; {REBUILD}")
    return held


def seal(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, IsADirectoryError) as error:
        raise Refusal(f"{path} is damaged (not JSON: {error}); {REBUILD}") from None


def write_tensors(path: Path, tensors: Tensors, facts: Any = None) -> None:
    """One safetensors file; `facts`, any JSON, travel in its header."""
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write(path, save(plain, {"facts": json.dumps(facts)}))


def read_facts(path: Path) -> Any:
    with opened(path) as file:
        return json.loads((file.metadata() or {}).get("facts", "null"))


def read_tensors(path: Path, prefix: str = "") -> dict[str, "torch.Tensor"]:
    """The tensors of a safetensors file whose names begin with `prefix`, by the rest of their names."""
    with opened(path) as file:
        names = [name for name in file.keys() if name.startswith(prefix)]
        return {name.removeprefix(prefix): file.get_tensor(name) for name in names}


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file; a Refusal that says what is there instead, if it is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError) as error:
        raise Refusal(f"{path} is damaged: {nature(path)} ({error})") from None


def nature(path: Path) -> str:
    """What a file that is no safetensors file looks like."""
    if path.is_dir():
        return "a folder where a file was promised"
    with open(path, "rb") as file:
        start = file.read(4)
    if start[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05") or start == b"PK\x03\x04":
        return "weights in safetensors form were promised, this is a pickle, and none is ever executed"
    return f"{path.stat().st_size} bytes that are not a whole safetensors file"


def fingerprint(tensors: Tensors) -> str:
    """SHA-256 over names, types, shapes and bytes: the same for the same tensors, however they are stored.

    Nothing is copied that lies in one piece: a copy by several threads would leave a second crew of them beside those that
    train, and both would wait for each other from then on.
    """
    import torch

    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def pack(mask: "torch.Tensor") -> "torch.Tensor":
    """A boolean mask at one bit an entry."""
    import numpy as np
    import torch

    return torch.from_numpy(np.packbits(mask.cpu().numpy()))


def unpack(bits: "torch.Tensor", shape: tuple[int, ...]) -> "torch.Tensor":
    import math

    import numpy as np
    import torch

    return torch.from_numpy(np.unpackbits(bits.numpy(), count=math.prod(shape)).astype(bool).reshape(shape))
