"""Where things lie in a run's folder, known here and nowhere else.

NAME/spec.json  units.json  metrics.csv  connectivity.csv
NAME/seed-0/level-03.safetensors      weights, packed mask, snapshots
NAME/seed-0/level-03.json             written last: a level exists when its sidecar does
NAME/starts/seed-0-level-03.safetensors   a ticket that was given to start from
NAME/progress/UNIT-level-03.safetensors   a level in the middle of its training
"""

import re
from pathlib import Path

SIDECAR = re.compile(r"seed-\d+/level-\d+\.json")


def stem(run: Path, seed: int, level: int) -> Path:
    """The path of a ticket's two files, less their suffixes."""
    return run / f"seed-{seed}" / f"level-{level:02d}"


def start_file(run: Path, seed: int, level: int) -> Path:
    """The copy of a ticket that a level starts from."""
    return run / "starts" / f"seed-{seed}-level-{level:02d}.safetensors"


def sidecars(run: Path) -> list[Path]:
    """The sidecars that are there, in order of seed and level."""
    paths = run.glob("seed-*/level-*.json")
    return sorted((path for path in paths if SIDECAR.fullmatch(f"{path.parent.name}/{path.name}")), key=place)


def place(path: Path) -> tuple[int, int]:
    """(seed, level) of a sidecar's path."""
    return int(path.parent.name.removeprefix("seed-")), int(path.stem.removeprefix("level-"))


def nearby(path: Path) -> str:
    """Runs that stand around where one was looked for."""
    around = [folder for folder in path.absolute().parents[:2] if (folder / "spec.json").is_file()]
    here = path if path.is_dir() else path.parent
    names = [str(folder) for folder in around] or sorted(found.parent.name for found in here.glob("*/spec.json"))
    return f"; runs around it: {', '.join(names[:9])}" if names else ""


def free_name(root: str | Path, name: str) -> str:
    number = 2
    while (Path(root) / f"{name}-{number}").exists():
        number += 1
    return f"{name}-{number}"
