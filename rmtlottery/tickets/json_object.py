"""JSON of strangers: one object, as long as it must be and no longer, that remembers which names stood in it twice."""

import json
from collections import Counter
from typing import Any

LIMIT = 100_000_000


class Object(dict[str, Any]):
    """A JSON object. `twice` are the names that stood in it more than once, of which the last value is held."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = {name for name, count in Counter(name for name, _ in pairs).items() if count > 1}


def parse(content: bytes) -> Object:
    """Raises ValueError, with the reason, at what is no object."""
    try:
        held = json.loads(content.decode(), object_pairs_hook=Object)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None
    if not isinstance(held, Object):
        raise ValueError("it is no object")
    return held
