"""Measure every part of this folder, or those named, in one run: `python -m benchmarks [NAME ...]`."""

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd

from benchmarks._clock import Row
from benchmarks._machine import described
from rmtlottery.work.unit import cores, provenance

FOLDER = Path(__file__).parent
PARTS = [path.stem for path in sorted(FOLDER.glob("[!_]*.py"))]
WHEN_NAMED = {"big_checkpoint", "false_alarms", "growth", "wells"}  # have their own tables, in docs
COLUMNS = ("benchmark", "case", "ours_s", "other_s", "ratio", "ratio_least", "ratio_largest", "pairs")
OF_LIMITS = ("limit", "limit_s", "fraction")


def main(named: list[str]) -> None:
    if unknown := set(named) - set(PARTS):
        sys.exit(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    machine = ", ".join(f"{key} {value}" for key, value in (provenance() | {"cores": str(cores())}).items())
    machine = f"{machine}; {described()}"
    print(machine, flush=True)
    rows = [row for name in named or sorted({*PARTS} - WHEN_NAMED) for row in measured(name)]
    table = pd.DataFrame(rows, columns=[*COLUMNS, *OF_LIMITS])
    print(table.to_string(index=False, float_format="%.3g", na_rep=""))
    if not named:
        table.assign(machine=machine).to_csv(FOLDER / "results.csv", index=False, float_format="%.4g")


def measured(name: str) -> list[Row]:
    """The rows of a part, said as they come."""
    part = import_module(f"benchmarks.{name}")
    rows: list[Row] = []
    print(f"\n{name}: {str(part.__doc__).splitlines()[0]}\n{part.DIFFERS}", flush=True)
    for row in part.measure():
        said = [f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()]
        print("   ", ", ".join(said), flush=True)
        rows.append({"benchmark": name} | row)
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
