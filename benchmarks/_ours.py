"""Our side of a comparison: `rl.fit` into a folder that is gone afterwards, tickets, tables and all."""

import tempfile
from typing import Any

import rmtlottery as rl


def train(spec: rl.Spec, **options: Any) -> None:
    with tempfile.TemporaryDirectory() as root:
        rl.fit(spec, root, **options)
