"""What it takes to ask a checkpoint of its layers, in a process of its own: `python -m benchmarks._asked FOLDER`."""

import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks import _checkpoint
from benchmarks._clock import seconds
from rmtlottery.train.memory import peak, resident

TINY = 1e-3  # gigabytes
OPTIONS = ("--layers.redraws", "0", "--layers.bootstraps", "0")  # 99 redraws of every layer take hours


def measured(folder: Path) -> dict[str, float]:
    """Memory is what the process held at most, less what it held after it had asked the same of next to nothing."""
    with tempfile.TemporaryDirectory() as root:
        ask(_checkpoint.make(Path(root) / "tiny", TINY), root)
        before = resident()
        wall = seconds(lambda: ask(folder, root))
    return {"seconds": wall, "peak_bytes": peak("cpu"), "before_bytes": before}


def ask(folder: Path, root: str) -> None:
    """The command `python -m rmtlottery.analyze FOLDER --only layers --out OUT`, without redraws."""
    from rmtlottery.analyze.__main__ import main

    with redirect_stdout(sys.stderr):
        code = main([str(folder), "--only", "layers", "--out", str(Path(root) / f"out-{folder.name}"), *OPTIONS])
    if code:
        sys.exit(f"asking the layers of {folder} ended with exit code {code}")


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
