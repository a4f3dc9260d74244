"""Measure every benchmark of this folder, or those named, in one run: `python -m benchmarks [NAME ...]`."""

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd

from rmtlottery.work.unit import cores, provenance

NAMES = [path.stem for path in sorted(Path(__file__).parent.glob("[!_]*.py")) if path.stem != "clock"]

rows = []
for name in sys.argv[1:] or NAMES:
    module = import_module(f"benchmarks.{name}")
    print(f"{name}: {module.__doc__}", flush=True)
    rows.append({"benchmark": name} | module.measure())
machine = ", ".join(f"{key} {value}" for key, value in (provenance() | {"cores": str(cores())}).items())
table = pd.DataFrame(rows).assign(machine=machine)
if not sys.argv[1:]:
    table.to_csv(Path(__file__).parent / "results.csv", index=False, float_format="%.4g")
print(table.drop(columns="machine").to_string(index=False, float_format="%.3g"))
print(machine)
