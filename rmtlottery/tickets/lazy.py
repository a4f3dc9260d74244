"""`Lazy`: tensors by name, each read when it is asked for and kept by nobody here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rmtlottery.refusal import unknown

if TYPE_CHECKING:
    import torch

Read = Callable[[], "torch.Tensor"]


class Lazy(Mapping[str, "torch.Tensor"]):
    """Iteration, length and membership read nothing. Two of them are equal only if they are the same one."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, readers: Mapping[str, Read]) -> None:
        self.readers = dict(readers)

    def __getitem__(self, name: str) -> "torch.Tensor":
        return self.readers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.readers)

    def __len__(self) -> int:
        return len(self.readers)

    def __contains__(self, name: object) -> bool:
        return name in self.readers

    def __call__(self) -> "Lazy":
        """Itself, where a ticket expects what reads a part of it."""
        return self

    def only(self, names: Sequence[str]) -> "Lazy":
        if absent := [name for name in names if name not in self]:
            raise unknown("layer", absent[0], self)
        return Lazy({name: self.readers[name] for name in names})


def narrow(read: Callable[[], Mapping[str, "torch.Tensor"]], names: Sequence[str]) -> Lazy:
    """These tensors of what `read` gives; nothing is read yet."""
    return read.only(names) if isinstance(read, Lazy) else Lazy({name: partial(item, read, name) for name in names})


def item(read: Callable[[], Mapping[str, "torch.Tensor"]], name: str) -> "torch.Tensor":
    held = read()
    if name not in held:
        raise unknown("layer", name, held)
    return held[name]
