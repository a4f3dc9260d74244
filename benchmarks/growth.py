"""How the time of a step and the memory of a training grow with width, depth, seeds and batch: ours against slope 1.

Each varies around one point; writes growth.csv and growth.png in docs/cost.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmarks._clock import Row
from rmtlottery.work.unit import cores, provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIFFERS = (
    "Nothing is compared. Each point is a process of its own; a step is by how much more steps take longer; memory is the "
    "peak less that of the same process after training a net of next to nothing."
)
FOLDER = Path(__file__).parents[1] / "docs" / "cost"
BASE = {"width": 128, "depth": 8, "seeds": 4, "batch": 128}
VARIED = {
    "width": (16, 32, 64, 128, 256, 512, 1024),
    "depth": (2, 4, 8, 16, 32),
    "seeds": (1, 2, 4, 8, 16, 32),
    "batch": (8, 16, 32, 64, 128, 256, 512, 1024),
}
UNITS = {"width": "width (units a layer)", "depth": "depth (hidden layers)", "seeds": "seeds side by side", "batch": "batch"}
SHOWN = {"step_s": ("time of a step (ms)", 1e3), "memory_bytes": ("memory at the peak (MB)", 1e-6)}


def measure() -> Iterator[Row]:
    rows = []
    base = point(BASE)
    for varied, values in VARIED.items():
        for value in values:
            here = BASE | {varied: value}
            rows.append({"varied": varied} | here | (base if here == BASE else point(here)))
            yield {"case": f"{varied} {value}", "ours_s": rows[-1]["step_s"]}
    write(pd.DataFrame(rows))


def point(here: dict[str, int]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks._point", *(str(here[name]) for name in BASE)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=FOLDER.parents[1])
    return json.loads(done.stdout)


def write(table: pd.DataFrame) -> None:
    machine = ", ".join(f"{key} {value}" for key, value in (provenance() | {"cores": str(cores())}).items())
    FOLDER.mkdir(exist_ok=True)
    table.assign(machine=machine).to_csv(FOLDER / "growth.csv", index=False, float_format="%.4g")
    draw(table, FOLDER / "growth.png")


def draw(table: pd.DataFrame, path: Path) -> None:
    """Columns: what is varied. Rows: time and memory."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(style="ticks", context="notebook")
    figure, grid = plt.subplots(len(SHOWN), len(VARIED), figsize=(15, 7), sharex="col", sharey="row", layout="constrained")
    for row, (quantity, (label, scale)) in zip(grid, SHOWN.items(), strict=True):
        for axes, varied in zip(row, VARIED, strict=True):
            part = table[table["varied"] == varied]
            panel(axes, part[varied], part[quantity] * scale)
            axes.set(ylabel=label, xlabel=UNITS[varied])
            axes.label_outer()
    grid[0, 0].legend(frameon=False, loc="upper left")
    at = ", ".join(f"{name} {value}" for name, value in BASE.items())
    figure.suptitle(f"One is varied at a time around {at} (dotted)")
    sns.despine(figure)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def panel(axes: "Axes", x: pd.Series, y: pd.Series) -> None:
    """One quantity against what is varied, and the line of slope 1 through its last point."""
    import seaborn as sns
    from matplotlib.ticker import FuncFormatter

    sns.lineplot(x=x, y=y, marker="o", ax=axes, label="measured", legend=False)
    axes.plot(x, y.iloc[-1] * x / x.iloc[-1], color="grey", linestyle="--", linewidth=1, label="slope 1")
    axes.axvline(BASE[str(x.name)], color="grey", linestyle=":", linewidth=1)
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(list(x), [str(value) for value in x])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
