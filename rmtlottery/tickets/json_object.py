"""JSON of strangers: one object, as long as it must be and no longer, that remembers which names stood in it twice."""

import json
from collections import Counter
from collections.abc import Set
from typing import Any

LIMIT = 20_000_000
ROOM = 300_000_000
# Bytes of memory that each of these may stand for: an object, a list, a name with its value, one more value.
COSTS = {b"{": 400, b"[": 120, b":": 360, b",": 80}
NONE: Set[str] = frozenset()


class Object(dict[str, Any]):
    """A JSON object. `twice` are the names that stood in it more than once, of which the last value is held."""

    __slots__ = ("twice",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = NONE
        if len(self) < len(pairs):
            self.twice = frozenset(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)


def parse(content: bytes) -> Object:
    """Raises ValueError, with the reason, at what is no object or would take too much memory."""
    if sum(content.count(mark) * cost for mark, cost in COSTS.items()) > ROOM:
        raise ValueError(f"it would take more than {ROOM} bytes of memory")
    try:
        held = json.loads(content.decode(), object_pairs_hook=Object)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None
    if not isinstance(held, Object):
        raise ValueError("it is no object")
    return held
