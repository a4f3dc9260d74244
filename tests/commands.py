"""Running our commands as a user does, in a process of their own."""

import os
import subprocess
import sys


def start(*words, **options):
    """`python -m rmtlottery.WORDS` with its output captured."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"} | options.pop("env", {})
    command = [sys.executable, "-m", f"rmtlottery.{words[0]}", *map(str, words[1:])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes, **options)


def command(*words, **options):
    """(exit code, stdout, stderr) of a finished command."""
    process = start(*words, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
