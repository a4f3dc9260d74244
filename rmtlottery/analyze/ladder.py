"""Which assumption of theory breaks in a pruned net, and what makes its signal longer or shorter?

Exactly, on any net: q = size x below x shape x alignment + bias + cross. size = |W|_F^2/fan_out = density x fan_in x the
survivors' second moment; below = V(q of the layer below), the mean of phi^2 were its pre-activations Gaussian (in layer 1
the inputs' mean square); shape, what the mean of x^2 is of that, padding, pooling and read-out included; alignment = N
Tr(W^T W C)/(Tr W^T W Tr C), C = <x x^T>, 1 where the large directions of the weights and of the activations have nothing
in common; bias = <b^2>; cross = 2<b (W x)>. The figure tells by how much the logarithm of each factor has changed since
the densest level: the bars add up to the line. The verdict is the first rung of the ladder (told in `qmap`) whose q is
within the finite-width bar of the measured one. One error may hide another: `settles` is the first rung from which on all
are, and `breaks` is what that one no longer assumes.
"""

from math import isfinite, log, log1p, nan
from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._compare import after_first, not_reached
from rmtlottery.analyze._style import legend_beside, mean_density, panel_name, percent
from rmtlottery.analyze.rungs.climb import climb
from rmtlottery.analyze.rungs.names import DROPPED, LADDER, NONE, UNTOLD
from rmtlottery.meanfield import activation
from rmtlottery.measure.identity import Pieces, pieces
from rmtlottery.measure.signal import probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
FACTORS = ["size", "below", "shape", "alignment"]


def table(ticket: Ticket, *, samples: int = 1000, parts: int = 1) -> "pd.DataFrame":
    """Columns: state, layer, source, q, size, below, shape, alignment, bias, cross, verdict, settles, breaks, bar,
    inputs, skipped.
    """
    import pandas as pd

    seen, found = probe(ticket, samples), []
    for state, weights in ticket.states.items():
        climbed, below = climb(ticket, weights, seen, parts), None
        for layer, held in enumerate(pieces(seen.network, weights, seen.x), start=1):
            rungs = {row["source"]: row for row in climbed.rows if row["layer"] == layer}
            factors = attribution(held, below, ticket.spec.net.phi)  # type: ignore[union-attr]
            found.append({"state": state, "layer": layer} | factors | verdict(held.q, rungs))
            below = held.q
    return pd.DataFrame(found).assign(source="measured", inputs=seen.words, skipped=climbed.skipped)


def attribution(held: Pieces, below: float | None, phi: str) -> dict[str, Any]:
    """The identity's pieces: q = size x below x shape x alignment + bias + cross."""
    act = activation(phi)
    V = held.x2 if below is None else float(act.V(min(below, act.largest))) if isfinite(below) else nan
    factors = {"size": held.s2, "below": V, "shape": held.x2 / V if V else 1.0, "alignment": held.alignment}
    return {"q": held.q} | factors | {"bias": held.b2, "cross": 2 * held.bh}


def verdict(q: float, rungs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The first rung within the bar; the first from which on all are; and what that one no longer assumes."""
    held = [name for name in LADDER if name in rungs]
    bar = rungs[held[0]]["bar"] if held else float("nan")
    if not bar < 1:
        why = "the bar is as long as q, or there is none" if held else "no rung reaches this layer"
        return {"verdict": UNTOLD, "settles": UNTOLD, "breaks": why, "bar": bar}
    within = [fits(q, rungs[name]) for name in held]
    settled = 1 + max((place for place, inside in enumerate(within) if not inside), default=-1)
    settles = held[settled] if settled < len(held) else NONE
    first = held[within.index(True)] if any(within) else NONE
    return {"verdict": first, "settles": settles, "breaks": DROPPED.get(settles, "more than any rung drops"), "bar": bar}


def fits(q: float, rung: dict[str, Any]) -> bool:
    """By as much above as below, as ratios go."""
    return min(q, rung["q"]) > 0 and abs(log(q / rung["q"])) <= log1p(rung["bar"])


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: what changed q, factor by factor, over the layers after the first. Right: the verdict, layer by level."""
    import matplotlib.pyplot as plt

    held = mean_density(table)
    parts = list(held.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 2, figsize=(16, 4.2 * len(parts)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(parts, axes, strict=True):
        name = panel_name(held, run, state)
        draw_changes(changes(part), left)
        left.set(title=f"{name}: what changed q since the densest level")
        draw_verdicts(part, right)
        right.set(title=f"{name}: first rung from which on all are within the bar")
    return figure


def changes(part: "pd.DataFrame") -> "pd.DataFrame":
    """log2 of each factor less that of the densest level, mean over seeds and over the layers after the first."""
    import numpy as np

    deep = after_first(part)
    product = deep[FACTORS].prod(axis=1)
    logs = np.log2(deep[FACTORS].assign(total=product).clip(lower=1e-12)).assign(
        level=deep["level"], density=deep["density"]
    )
    means = logs.groupby(["level", "density"]).mean()
    return means - means.iloc[0]


def draw_changes(change: "pd.DataFrame", axes: "Axes") -> None:
    import numpy as np
    import seaborn as sns

    places, above, below = np.arange(len(change)), np.zeros(len(change)), np.zeros(len(change))
    for factor, colour in zip(FACTORS, sns.color_palette("colorblind"), strict=False):
        height = change[factor].to_numpy()
        axes.bar(places, height, bottom=np.where(height >= 0, above, below), color=colour, label=factor, width=0.8)
        above, below = above + np.maximum(height, 0), below + np.minimum(height, 0)
    axes.plot(places, change["total"], color="black", marker="o", label="q less its bias terms")
    axes.axhline(0, color="black", linewidth=1)
    density_ticks(change.index.get_level_values("density"), axes)
    axes.set(ylabel="change of log2, mean of layers after the first")
    axes.grid(alpha=0.3, axis="y")
    legend_beside(axes, "factor")


def draw_verdicts(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    order = [*LADDER, NONE, UNTOLD]
    deep = after_first(part)
    places = deep.assign(rung=deep["settles"].map(order.index))
    cells = places.pivot_table("rung", "layer", "level", "median").round().astype(int)
    names = cells.map(lambda rung: order[rung].split()[0])
    look = {"cmap": "viridis", "vmin": 0, "vmax": len(order) - 1, "linewidths": 0.5, "cbar": False}
    sns.heatmap(cells, annot=names, fmt="", annot_kws={"size": 8}, ax=axes, **look)
    density_ticks(part.groupby("level")["density"].first(), axes, shift=0.5)
    axes.set(ylabel="layer")
    axes.tick_params(axis="y", rotation=0)


def density_ticks(density: Any, axes: "Axes", shift: float = 0.0) -> None:
    """A tick for each level, and words at every second of many."""
    step = 2 if len(density) > 9 else 1
    words = [percent(value) if place % step == 0 else "" for place, value in enumerate(density)]
    axes.set_xticks([place + shift for place in range(len(words))], words, rotation=0, fontsize=8)
    axes.set_xlabel("density (weights kept)")


def headline(table: "pd.DataFrame") -> str:
    """What made q of the rewound net change where it is longest and at the end, and where the verdicts fall."""
    held = mean_density(table)
    runs = held[held["state"] == "rewound"].groupby("run")
    return f"{'; '.join(f'{run}: {summary(part)}' for run, part in runs)}.{not_reached(table)}"


def summary(part: "pd.DataFrame") -> str:
    change = changes(part)
    levels = dict.fromkeys((change["total"].idxmax(), change.index[-1]))
    sentences = [f"at density {percent(at[1])} {words(change.loc[at])}" for at in levels]
    return f"log2 of q less its bias terms, rewound, since the densest level: {', '.join(sentences)}; {verdicts(part)}"


def words(change: "pd.Series") -> str:
    factors = ", ".join(f"{factor} {change[factor]:+.2f}" for factor in FACTORS)
    return f"{change['total']:+.2f} ({factors})"


def verdicts(part: "pd.DataFrame") -> str:
    """How often theory settles at each rung, layer 1 apart, which sees the inputs."""
    deep = after_first(part)
    counts = deep["settles"].value_counts()
    named = ", ".join(f"{name.split()[0]} {counts[name]}" for name in (*LADDER, NONE, UNTOLD) if name in counts)
    early = (deep["verdict"] != deep["settles"]).sum()
    return (
        f"theory is within the bar, of {len(deep)} cells after layer 1, from {named} on ({early} by chance before that, too)"
    )
