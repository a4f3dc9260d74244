"""Reads the pickles in which CIFAR is published, and can execute nothing.

A tamed `pickle.Unpickler` still calls what it allows, with arguments that the file chooses. Here a global is a name and
a call is a note of it; there is no code that would import the one or call the other. Known are the opcodes in which Python 2
writes plain data in protocol 2, each of which takes no more memory than the file it stands in.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rmtlottery.refusal import Refusal

NAMES = ("numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype")


@dataclass(frozen=True, eq=False)
class Name:
    """A global that the pickle names."""

    text: str


@dataclass(eq=False)
class Call:
    """A call that the pickle asks for, and the state it then gives to the result."""

    name: str
    arguments: Any
    state: Any = None


class Reader:
    """The stack machine of a pickle. `outer` keeps the stacks below each mark."""

    def __init__(self, content: bytes) -> None:
        self.view, self.at = memoryview(content), 0
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def take(self, count: int) -> memoryview:
        if not 0 <= count <= len(self.view) - self.at:
            raise ValueError(f"{count} bytes are promised and {len(self.view) - self.at} are left")
        self.at += count
        return self.view[self.at - count : self.at]

    def number(self, size: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def line(self) -> str:
        """ASCII up to the next line feed; no name that we know is longer than 64."""
        ahead = bytes(self.view[self.at : self.at + 64])
        return bytes(self.take(ahead.index(b"\n") + 1)[:-1]).decode("ascii")

    def mark(self) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        return tuple(reversed([self.stack.pop() for _ in range(count)]))

    def name(self) -> Name:
        text = f"{self.line()} {self.line()}"
        if text not in NAMES:
            raise ValueError(f"it asks for {text.replace(' ', '.')}, and nothing but numpy's arrays is known")
        return Name(text)

    def call(self) -> Call:
        name, arguments = self.last(2)
        if not isinstance(name, Name):
            raise TypeError("what it calls is no global")
        return Call(name.text, arguments)

    def build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Call):
            raise TypeError("a state is given to what is no call")
        self.stack[-1].state = state

    def extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("items are given to what is no list")
        self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        """Keys are plain: hashing a tuple of a million tuples, one in another, would overflow the C stack."""
        if not isinstance(self.stack[-1], dict) or not all(isinstance(key, bytes | str | int) for key in items[::2]):
            raise TypeError("keys are given to what is no dictionary, or are neither text nor numbers")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def recall(self, place: int) -> Any:
        if place not in self.memo:
            raise ValueError(f"nothing is remembered as {place}")
        return self.memo[place]

    def protocol(self) -> None:
        if (number := self.number(1)) != 2:
            raise ValueError(f"it is written in protocol {number}, not 2")


# Opcodes that push a value.
PUSH: dict[bytes, Callable[[Reader], Any]] = {
    b"N": lambda reader: None,
    b"\x88": lambda reader: True,
    b"\x89": lambda reader: False,
    b"K": lambda reader: reader.number(1),
    b"M": lambda reader: reader.number(2),
    b"J": lambda reader: reader.number(4, signed=True),
    b"\x8a": lambda reader: reader.number(reader.number(1), signed=True),
    b"G": lambda reader: struct.unpack(">d", reader.take(8))[0],
    b"U": lambda reader: bytes(reader.take(reader.number(1))),
    b"T": lambda reader: reader.take(reader.number(4, signed=True)),
    b"X": lambda reader: str(reader.take(reader.number(4)), "utf-8", "surrogatepass"),
    b"]": lambda reader: [],
    b"}": lambda reader: {},
    b")": lambda reader: (),
    b"\x85": lambda reader: reader.last(1),
    b"\x86": lambda reader: reader.last(2),
    b"\x87": lambda reader: reader.last(3),
    b"t": lambda reader: tuple(reader.since_mark()),
    b"h": lambda reader: reader.recall(reader.number(1)),
    b"j": lambda reader: reader.recall(reader.number(4)),
    b"c": Reader.name,
    b"R": Reader.call,
}

# Opcodes that change what is there.
CHANGE: dict[bytes, Callable[[Reader], None]] = {
    b"\x80": Reader.protocol,
    b"(": Reader.mark,
    b"q": lambda reader: reader.remember(reader.number(1)),
    b"r": lambda reader: reader.remember(reader.number(4)),
    b"a": lambda reader: reader.extend([reader.stack.pop()]),
    b"e": lambda reader: reader.extend(reader.since_mark()),
    b"s": lambda reader: reader.update(list(reader.last(2))),
    b"u": lambda reader: reader.update(reader.since_mark()),
    b"b": Reader.build,
}


def inert(content: bytes, where: str) -> Any:
    """What a pickle holds, its calls as notes; a string longer than 255 bytes is a view of `content`."""
    reader = Reader(content)
    try:
        return result(reader)
    except (ValueError, TypeError, LookupError) as error:
        raise Refusal(f"{where} is no published pickle: byte {reader.at}: {error}; nothing of it was executed") from None


def result(reader: Reader) -> Any:
    while (code := bytes(reader.take(1))) != b".":
        if code in PUSH:
            value = PUSH[code](reader)
            reader.stack.append(value)
        elif code in CHANGE:
            CHANGE[code](reader)
        else:
            raise ValueError(f"the opcode {code!r} is unknown")
    if len(reader.stack) != 1 or reader.outer or reader.at < len(reader.view):
        raise ValueError("it does not end with its only value")
    return reader.stack.pop()
