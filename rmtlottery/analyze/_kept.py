"""Tables that are not asked twice: kept exactly, with a mark of all that they depend on."""

import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from rmtlottery.tickets.disk import write
from rmtlottery.tickets.run import Run
from rmtlottery.work.unit import provenance

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]


def mark(name: str, given: Mapping[str, Any], runs: Sequence[Run]) -> str:
    """The question and its options, the runs' places and tickets, the code that answers, and what its bits depend on."""
    tickets = [[str(run.path.resolve()), sorted(map(str, run.records().values()))] for run in runs]
    return hashlib.sha256(json.dumps([name, dict(given), tickets, code(), provenance(), versions()]).encode()).hexdigest()


def versions() -> list[str]:
    """Of packages whose numbers stand in tables."""
    return [version(package) for package in ("scipy", "pandas", "statsmodels")]


@cache
def code() -> str:
    whole = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def save(path: Path, mark: str, table: "pd.DataFrame") -> None:
    """Columns of numbers to the bit, others as words; a column that is neither is not kept, and so is no table of it."""
    columns = {f"column {place}": values(table[name]) for place, name in enumerate(table)}
    if all(held is not None for held in columns.values()):
        held = io.BytesIO()
        np.savez_compressed(held, mark=np.array(mark), names=np.array(list(table)), **columns)  # type: ignore[arg-type]
        write(path, held.getvalue())


def values(column: "pd.Series") -> np.ndarray | None:
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    words = column.tolist()
    return np.array(words) if all(isinstance(word, str) for word in words) else None


def load(path: Path, mark: str) -> "pd.DataFrame | None":
    """The table of this mark, if it is what lies there."""
    import pandas as pd

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            if str(held["mark"]) != mark:
                return None
            return pd.DataFrame({str(name): held[f"column {place}"] for place, name in enumerate(held["names"])})
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile, zlib.error):
        return None  # RuntimeError: an altered byte may say that a zip is encrypted, or of a later kind
