"""Does theory give the correlation c of two inputs in each layer of a pruned net?

Measured: <h_a h_b>/sqrt(<h_a^2><h_b^2>) of pairs of test inputs, over units and pixels, not centred. In an ordered net
all inputs end up alike, in a chaotic one they fall apart. T0 takes the nominal sigmas, T2 density times the survivors'
second moment, T3 that of each layer with its biases; each follows every pair by the covariance map, with lengths of their
own. Pairs of one class and of two are told apart: theory knows no difference but that of the inputs. In convolutions
neighbouring inputs are the pairs, else all, or 4000 of them. `state` is rewound (theta_k under the mask) or trained.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from rmtlottery.analyze._compare import not_reached
from rmtlottery.analyze._style import (
    density_axis,
    interval,
    layer_lines,
    legend_beside,
    mean_density,
    panel_name,
    seeds_words,
)
from rmtlottery.analyze.rungs.alike import SOURCES, alike
from rmtlottery.analyze.rungs.climb import unreached
from rmtlottery.analyze.rungs.names import MEASURED, NOTHING, T2
from rmtlottery.measure.pairs import correlations
from rmtlottery.measure.signal import probe
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
MOST = 4000
SAME, OTHER = "same class", "two classes"


def table(ticket: Ticket, *, samples: int = 60) -> "pd.DataFrame":
    """Columns: state, layer, pairs (same class, two classes), number (of pairs), c, source, inputs, skipped."""
    import pandas as pd

    if samples < 2:
        raise Refusal(f"samples = {samples} makes no pair; take at least 2")
    seen, frames = probe(ticket, samples), []
    pairs = chosen(len(seen.x), len(seen.network.layers[0].shape) > 2)
    labels = seen.y if seen.y is not None else torch.arange(len(seen.x))
    kind = np.where((labels[pairs[0]] == labels[pairs[1]]).numpy(), SAME, OTHER)
    for state, weights in ticket.states.items():
        found = enumerate(correlations(seen.network, weights, seen.x), start=1)
        rows = [(MEASURED, layer, c[pairs].numpy()) for layer, c in found]
        for source, layer, c in (*rows, *alike(ticket, weights, seen, pairs)):
            frames.append(pd.DataFrame({"state": state, "layer": layer, "source": source, "pairs": kind, "c": c}))
    keys = ["state", "layer", "source", "pairs"]
    means = pd.concat(frames).groupby(keys, as_index=False, sort=False).agg(c=("c", "mean"), number=("c", "size"))
    return means.assign(inputs=seen.words, skipped="; ".join(unreached(ticket, seen)) or NOTHING)


def chosen(samples: int, neighbours: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Each input with the next; or all pairs, of very many every so-manieth."""
    first = torch.arange(samples - 1)
    if neighbours:
        return first, first + 1
    pairs = torch.triu_indices(samples, samples, offset=1)
    pairs = pairs[:, :: -(-pairs.shape[1] // MOST)]
    return pairs[0], pairs[1]


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: c against layer at some densities, measured and dashed by T2. Right: in the last hidden layer, with theory."""
    import matplotlib.pyplot as plt

    held = mean_density(table)
    parts = list(held.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 2, figsize=(14, 4 * len(parts)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(parts, axes, strict=True):
        name, apart = panel_name(held, run, state), part[part["pairs"] == told(part)]
        layer_lines(apart[apart["source"] == MEASURED], left, "c", dashed=apart[apart["source"] == T2])
        left.set(title=f"{name}: {told(part)}, dashed {T2}", ylabel="c, correlation of two inputs", ylim=(None, 1.02))
        last = part[part["layer"] == part["layer"].max()]
        draw_sources(last, right)
        right.set(title=f"{name}: layer {part['layer'].max()}", ylabel="c, correlation of two inputs", ylim=(None, 1.02))
    return figure


def draw_sources(last: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    order = [source for source in (MEASURED, *SOURCES) if source in set(last["source"])]
    look = {"hue": "source", "hue_order": order, "style": "pairs", "style_order": [SAME, OTHER], "markers": True}
    sns.lineplot(last, x="density", y="c", errorbar=interval, ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(last["seed"].nunique()))


def headline(table: "pd.DataFrame") -> str:
    """c of pairs of two classes in the last hidden layer of the rewound net, densest and sparsest, measured and by T2."""
    held = mean_density(table)
    runs = held[(held["state"] == "rewound") & (held["pairs"] == told(held))].groupby("run")
    sentences = "; ".join(f"{run}: {summary(part)}" for run, part in runs)
    return f"{sentences} (means over pairs and seeds).{not_reached(table)}"


def told(table: "pd.DataFrame") -> str:
    """The pairs to tell of: those of two classes, where there are any."""
    return OTHER if OTHER in set(table["pairs"]) else SAME


def summary(part: "pd.DataFrame") -> str:
    last = part[part["layer"] == part["layer"].max()]
    c = last.pivot_table("c", ["level", "density"], "source")
    ends = ", ".join(f"{row[MEASURED]:.3f} at density {at[1]:.1%} ({by_T2(row)})" for at, row in c.iloc[[0, -1]].iterrows())
    return f"correlation of rewound signals of {part['pairs'].iloc[0]} in layer {last['layer'].max()} is {ends}"


def by_T2(row: "pd.Series") -> str:
    return f"T2 {row[T2]:.3f}" if row.get(T2) == row.get(T2) and T2 in row else "no theory"
