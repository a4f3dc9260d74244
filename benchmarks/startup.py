"""`--help` of each command against importing torch, which help must not wait for."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks._clock import Limit, Row, pairs, seconds

DIFFERS = "Ours prints what a command takes, read from the source; the other prints nothing. The limit is an empty Python."
COMMANDS = ("train", "analyze", "study", "doctor", "datasets")


def measure() -> Iterator[Row]:
    empty = Limit("python", lambda: seconds(lambda: python("-c", "pass")))
    for name in COMMANDS:
        yield pairs(name, lambda name=name: python("-m", f"rmtlottery.{name}", "--help"), torch, limit=empty)


def torch() -> None:
    python("-c", "import torch")


def python(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
