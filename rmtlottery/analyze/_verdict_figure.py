"""Every theory against density and layer in one picture: what is refused has a colour, what is not is white."""

from typing import TYPE_CHECKING

import numpy as np

from rmtlottery.analyze._style import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGES = [0.5, 0.8, 1.0, 1.25, 2.0]  # of measured / theory
COLOURS = ["#08519c", "#4292c6", "#c6dbef", "#fdd0a2", "#f16913", "#a63603"]
WORDS = ["below 1/2", "1/2 to 0.8", "0.8 to 1", "1 to 1.25", "1.25 to 2", "above 2"]
STANDS, UNTOLD = "white", "0.8"
NEAR = 1.05  # a factor by which theory may be off on its own nets and not be shown to be


def height(part: "pd.DataFrame") -> float:
    return 1.8 + 0.21 * len(theories(part))


def theories(part: "pd.DataFrame") -> list[tuple[str, str]]:
    """(quantity, source), those of one quantity together, else in the order in which they come."""
    quantities = list(dict.fromkeys(part["quantity"]))
    return sorted(
        dict.fromkeys(zip(part["quantity"], part["source"], strict=True)), key=lambda row: quantities.index(row[0])
    )


def of_chance(part: "pd.DataFrame") -> "pd.DataFrame":
    """The same rows, of random nets: those on which theory is off."""
    return part.assign(ratio=part["chance_ratio"], refused=np.abs(np.log(part["chance_ratio"])) > np.log(NEAR))


def draw_cells(whole: "pd.DataFrame", part: "pd.DataFrame", axes: "Axes") -> None:
    """Rows and columns are those of the whole: a block a density, in it a strip a layer."""
    from matplotlib.colors import ListedColormap

    rows, levels, layers = theories(whole), sorted(whole["level"].unique()), int(whole["layer"].max())
    shades = ListedColormap([*COLOURS, STANDS, UNTOLD])
    axes.pcolormesh(painted(part, rows, levels, layers), cmap=shades, vmin=-0.5, vmax=len(COLOURS) + 1.5)
    axes.vlines(np.arange(1, len(levels)) * layers, 0, len(rows), color="black", linewidth=0.8)
    axes.hlines(np.arange(1, len(rows)), 0, len(levels) * layers, color="0.6", linewidth=0.3)
    starts = [at for at in range(1, len(rows)) if rows[at][0] != rows[at - 1][0]]
    axes.hlines(starts, 0, len(levels) * layers, color="black", linewidth=1.2)
    density = whole.groupby("level")["density"].first()
    axes.set_xticks((np.arange(len(levels)) + 0.5) * layers, [percent(density[level]) for level in levels], rotation=60)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [f"{quantity}: {source}" for quantity, source in rows])
    axes.set_xlabel(f"density (in each block layers 1 to {layers} from left to right)")
    axes.invert_yaxis()


def painted(part: "pd.DataFrame", rows: list[tuple[str, str]], levels: list[int], layers: int) -> np.ndarray:
    """The number of each strip's colour; what is known of one layer alone fills its block."""
    found = np.full((len(rows), len(levels) * layers), len(COLOURS) + 1)
    alone = {row for row, held in part.groupby(["quantity", "source"]) if held["layer"].nunique() == 1}
    colour = np.where(part["refused"], np.searchsorted(EDGES, part["ratio"], "right"), len(COLOURS))
    cells = part[["quantity", "source", "level", "layer"]].itertuples(index=False)
    for (*row, level, layer), number in zip(cells, colour, strict=True):
        start = levels.index(level) * layers
        strips = slice(start, start + layers) if tuple(row) in alone else start + layer - 1
        found[rows.index(tuple(row)), strips] = number
    return found


def explain(figure: "Figure") -> None:
    from matplotlib.patches import Patch

    colours = zip(
        [*COLOURS, STANDS, UNTOLD], [*WORDS, f"not refused (random\nnets: within {NEAR - 1:.0%})", "no theory"], strict=True
    )
    patches = [Patch(facecolor=colour, edgecolor="grey", label=words) for colour, words in colours]
    figure.legend(handles=patches, title="measured / theory", loc="outside right center", frameon=False)
