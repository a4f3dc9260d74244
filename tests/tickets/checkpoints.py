"""Checkpoints that tests write, damage and survey."""

import json
import os
import resource
from contextlib import contextmanager

import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.foreign import load


class Bomb:
    """Unpickling this makes the file that it names."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def weights(seed=0):
    """Unequal shapes, a bias and a counter."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {"fc.weight": (5, 3), "fc.bias": (5,), "conv.weight": (4, 2, 3, 3)}
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()} | {"steps": torch.tensor(7)}


def raw(path, claims, data=b"", *, length=None):
    """A .safetensors file with any header."""
    header = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + data)
    return path


def claim(start, stop, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def survey(path):
    """What a checkpoint gives: (weights that can be read, sentences); any other error is raised."""
    try:
        ticket = load(path)
    except Refusal as refusal:
        return {}, [sentence(refusal, path)]
    held, said = {}, [sentence(fault, path) for fault in ticket.record["faults"]]
    for name, mask in ticket.mask.items():
        try:
            held[name] = ticket.weights[name]
        except Refusal as refusal:
            said.append(sentence(refusal, path))
        else:
            assert held[name].shape == mask.shape
            assert held[name].isfinite().all()
    return held, said


def sentence(text, path):
    """One line that names the file, or the shard beside it."""
    text = str(text)
    assert text.startswith(str(path.parent)), text
    assert text.isprintable(), text
    assert len(text) < 6000
    return text


@contextmanager
def tight(room=64 << 20):
    """No more than so many bytes of memory can be asked for."""
    with open("/proc/self/statm") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
