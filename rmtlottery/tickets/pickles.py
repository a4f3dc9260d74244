"""Reads pickles as torch writes them, and can execute nothing: a global is a name, and a call is a note of it.

Known are the opcodes of protocols 2 to 5. A name that is neither a tensor's nor plain data's ends the reading.
"""

import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, BinaryIO

LIMIT = 32_000_000
LONG = 65_536
WIDEST = 1024
# Bytes of memory that a pickle may ask for, and that an opcode may stand for.
ROOM = 250_000_000
COST, CHEAP = 100, 16
POINTERS = frozenset(b"N\x88\x89KMJhj)01a2e\x90\x80\x95b")

DICTIONARIES = {"collections OrderedDict", "collections defaultdict", "builtins dict", "__builtin__ dict"}


class Stranger(ValueError):
    """A global that is no tensor's and no plain data's."""


@dataclass(frozen=True, eq=False, slots=True)
class Name:
    """A global that the pickle names."""

    text: str


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """A call that the pickle asks for. What is done to its result afterwards is forgotten."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Outside:
    """What the pickle says lies outside it: `identity` tells where."""

    identity: Any


class Reader:
    """The stack machine of a pickle that ends before `stop`. `outer` keeps the stacks below each mark."""

    def __init__(self, file: BinaryIO, stop: int, known: Collection[str], room: int) -> None:
        self.file, self.stop, self.known = file, stop, known
        self.outside: list[Outside] = []
        self.left = min(LIMIT, stop - file.tell())
        self.copies, self.room = self.left, room
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.left:
            raise ValueError(f"{count} bytes of a pickle are promised and {self.left} may be read")
        content = self.file.read(count)
        if len(content) < count:
            raise ValueError("it ends within a pickle")
        self.left -= count
        return content

    def spend(self, cost: int) -> None:
        self.room -= cost
        if self.room < 0:
            raise ValueError("a pickle of it would take more memory than one of torch does")

    def number(self, size: int, signed: bool = False) -> int:
        content = self.take(size)
        if size > WIDEST:
            raise ValueError(f"an integer of {size} bytes is none that torch writes")
        return int.from_bytes(content, "little", signed=signed)

    def chunk(self, size: int) -> bytes:
        """A string; an empty one for a long one, which is neither a tensor nor a name of one."""
        count = self.number(size)
        if count <= LONG:
            return self.take(count)
        if count > self.stop - self.file.tell():
            raise ValueError(f"a string of {count} bytes is promised and the file ends before")
        self.file.seek(count, 1)
        return b""

    def text(self, size: int) -> str:
        return self.chunk(size).decode("utf-8", "replace")

    def line(self) -> str:
        content = self.take_line()
        if not content.endswith(b"\n"):
            raise ValueError("it names a global that is no name")
        return content[:-1].decode("utf-8", "replace")

    def take_line(self) -> bytes:
        content = self.file.readline(min(256, self.left))
        self.left -= len(content)
        return content

    def mark(self) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        return tuple(reversed([self.stack.pop() for _ in range(count)]))

    def name(self, module: Any, name: Any) -> Name:
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("it names a global that is no name")
        if (text := f"{module} {name}") not in self.known:
            raise Stranger(f"{module}.{name}")
        return Name(text)

    def call(self, count: int) -> Any:
        """Of `count` operands, the last called with the rest; a known kind of dictionary is one."""
        function, arguments, *_ = self.last(count)
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise ValueError("what it calls is no global")
        if function.text in DICTIONARIES:
            return dict(self.pairs(arguments))
        return Call(function.text, arguments)

    def pairs(self, arguments: tuple[Any, ...]) -> list[tuple[Any, Any]]:
        """The list of pairs that Python 2 gives to an ordered dictionary; one list may not be given for ever."""
        given = arguments[0] if arguments and isinstance(arguments[0], list) else []
        self.copies -= len(given)
        if self.copies < 0:
            raise ValueError("a list of it is copied again and again")
        self.spend(COST * len(given))
        return [(pair[0], pair[1]) for pair in given if isinstance(pair, list | tuple) and len(pair) == 2 and plain(pair[0])]

    def extend(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        self.spend(COST * len(items) // 2)
        if isinstance(self.stack[-1], dict):
            self.stack[-1].update((key, value) for key, value in zip(items[::2], items[1::2], strict=True) if plain(key))

    def refer(self) -> Outside:
        self.outside.append(Outside(self.stack.pop()))
        return self.outside[-1]

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def protocol(self) -> None:
        if (number := self.number(1)) not in range(2, 6):
            raise ValueError(f"a pickle of protocol {number} is none that torch writes")


def plain(key: Any) -> bool:
    """Whether it may be a key: hashing a tuple of a million tuples, one in another, would overflow the C stack.

    Long integers are hashed anew each time, and as many of them as one likes have the same hash.
    """
    return key is None or isinstance(key, str | bytes | float) or (isinstance(key, int) and -(2**63) <= key < 2**64)


# Opcodes that push a value.
PUSH: dict[bytes, Callable[[Reader], Any]] = {
    b"N": lambda reader: None,
    b"\x88": lambda reader: True,
    b"\x89": lambda reader: False,
    b"K": lambda reader: reader.number(1),
    b"M": lambda reader: reader.number(2),
    b"J": lambda reader: reader.number(4, signed=True),
    b"\x8a": lambda reader: reader.number(reader.number(1), signed=True),
    b"\x8b": lambda reader: reader.number(reader.number(4), signed=True),
    b"G": lambda reader: struct.unpack(">d", reader.take(8))[0],
    b"U": lambda reader: reader.text(1),
    b"T": lambda reader: reader.text(4),
    b"\x8c": lambda reader: reader.text(1),
    b"X": lambda reader: reader.text(4),
    b"\x8d": lambda reader: reader.text(8),
    b"C": lambda reader: reader.chunk(1),
    b"B": lambda reader: reader.chunk(4),
    b"\x8e": lambda reader: reader.chunk(8),
    b"\x96": lambda reader: reader.chunk(8),
    b"]": lambda reader: [],
    b"}": lambda reader: {},
    b")": lambda reader: (),
    b"\x8f": lambda reader: [],
    b"\x91": lambda reader: tuple(reader.since_mark()),
    b"\x85": lambda reader: reader.last(1),
    b"\x86": lambda reader: reader.last(2),
    b"\x87": lambda reader: reader.last(3),
    b"t": lambda reader: tuple(reader.since_mark()),
    b"h": lambda reader: reader.memo[reader.number(1)],
    b"j": lambda reader: reader.memo[reader.number(4)],
    b"c": lambda reader: reader.name(reader.line(), reader.line()),
    b"\x93": lambda reader: reader.name(*reader.last(2)),
    b"R": lambda reader: reader.call(2),
    b"\x81": lambda reader: reader.call(2),
    b"\x92": lambda reader: reader.call(3),
    b"Q": Reader.refer,
}

# Opcodes that change what is there.
CHANGE: dict[bytes, Callable[[Reader], Any]] = {
    b"\x80": Reader.protocol,
    b"\x95": lambda reader: reader.take(8),
    b"(": Reader.mark,
    b"0": lambda reader: reader.stack.pop(),
    b"1": lambda reader: reader.since_mark(),
    b"2": lambda reader: reader.stack.append(reader.stack[-1]),
    b"q": lambda reader: reader.remember(reader.number(1)),
    b"r": lambda reader: reader.remember(reader.number(4)),
    b"\x94": lambda reader: reader.remember(len(reader.memo)),
    b"a": lambda reader: reader.extend([reader.stack.pop()]),
    b"e": lambda reader: reader.extend(reader.since_mark()),
    b"\x90": lambda reader: reader.extend(reader.since_mark()),
    b"s": lambda reader: reader.update(list(reader.last(2))),
    b"u": lambda reader: reader.update(reader.since_mark()),
    b"b": lambda reader: reader.stack.pop(),
}


def unpickled(file: BinaryIO, stop: int, known: Collection[str] = (), room: int = ROOM) -> tuple[Any, list[Outside]]:
    """What the pickle that begins here holds, and what it says lies outside it; the file then stands behind it.

    Raises Stranger at a global that is not `known`, and ValueError at what is no pickle.
    """
    reader = Reader(file, stop, known, room)
    try:
        while (code := reader.take(1)) != b".":
            reader.spend(CHEAP if code[0] in POINTERS else COST)
            if code in PUSH:
                value = PUSH[code](reader)
                reader.stack.append(value)
            elif code in CHANGE:
                CHANGE[code](reader)
            else:
                raise ValueError(f"the opcode {code!r} is unknown")
        return reader.stack.pop(), reader.outside
    except (LookupError, OverflowError, TypeError) as error:
        raise ValueError(f"a pickle of it is broken ({type(error).__name__})") from None
