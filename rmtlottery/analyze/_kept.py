"""Answers that are not made twice: kept exactly, with a mark of all that they depend on."""

import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from rmtlottery.tickets.disk import write
from rmtlottery.tickets.run import Run
from rmtlottery.work.unit import provenance

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]


class Kept(NamedTuple):
    """A table and, once it was drawn, what the report has of it: the figure as a PNG, and its sentence."""

    table: "pd.DataFrame"
    picture: bytes = b""
    headline: str = ""


def mark(name: str, given: Mapping[str, Any], runs: Sequence[Run]) -> str:
    """The question and its options, the runs' places and tickets, the code that answers, and what its bits depend on."""
    tickets = [[str(run.path.resolve()), sorted(map(str, run.records().values()))] for run in runs]
    held = [name, dict(given), tickets, code(), provenance(), versions(), style()]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


def versions() -> list[str]:
    """Of packages whose numbers stand in tables, and of those that draw them."""
    return [version(package) for package in ("scipy", "pandas", "statsmodels", "matplotlib", "seaborn")]


def style() -> str:
    """What the user's file tells matplotlib."""
    from matplotlib import matplotlib_fname

    return Path(matplotlib_fname()).read_text()


@cache
def code() -> str:
    whole = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def save(path: Path, mark: str, kept: Kept) -> None:
    """Columns of numbers to the bit, others as words; a column that is neither is not kept, and so is no table of it."""
    columns = {f"column {place}": values(kept.table[name]) for place, name in enumerate(kept.table)}
    if all(held is not None for held in columns.values()):
        drawn = {"picture": np.frombuffer(kept.picture, np.uint8), "headline": np.array(kept.headline)}
        held, names = io.BytesIO(), np.array(list(kept.table))
        np.savez_compressed(held, mark=np.array(mark), names=names, **drawn, **columns)  # type: ignore[arg-type]
        write(path, held.getvalue())


def values(column: "pd.Series") -> np.ndarray | None:
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    words = column.tolist()
    return np.array(words) if all(isinstance(word, str) for word in words) else None


def load(path: Path, mark: str) -> Kept | None:
    """What was kept with this mark, if it is what lies there."""
    import pandas as pd

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            if str(held["mark"]) != mark:
                return None
            table = pd.DataFrame({str(name): held[f"column {place}"] for place, name in enumerate(held["names"])})
            return Kept(table, held["picture"].tobytes(), str(held["headline"]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile, zlib.error):
        return None  # RuntimeError: an altered byte may say that a zip is encrypted, or of a later kind
