"""Is chi near 1 in each layer of a pruned net, and does theory give it?

chi is the factor by which a layer stretches small changes of the signal: |D W|_F^2 / N with the slopes D of phi, averaged
over test inputs. Below 1 gradients vanish with depth, above 1 they explode. T0 takes the nominal sigmas, T1 the survivors'
std times sqrt(dense fan-in), which is the wrong normalisation, T2 density times the survivors' second moment; each theory
follows the inputs through the length map and takes sigma_w^2 times the mean of phi'^2 there. Theory ends where layers are
pooled. `state` is rewound (theta_k under the mask) or trained.
"""

from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    layer_lines,
    legend_beside,
    log_height,
    mean_density,
    panel_name,
    seeds_words,
)
from rmtlottery.analyze._theory import SOURCES, T0, T1, T2, predictions
from rmtlottery.measure.signal import gains, probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def table(ticket: Ticket, *, samples: int = 1000) -> "pd.DataFrame":
    """Columns: state, layer, chi, source, inputs (which, how many, preprocessing)."""
    import pandas as pd

    seen = probe(ticket, samples)
    rows: list[dict[str, Any]] = []
    for state, weights in ticket.states.items():
        measured = enumerate(gains(seen.network, weights, seen.x), start=1)
        rows += [{"state": state, "layer": layer, "chi": chi, "source": "measured"} for layer, chi in measured]
        rows += [{"state": state} | row for row in predictions(ticket, weights, seen)]
    return pd.DataFrame(rows).drop(columns="q", errors="ignore").assign(inputs=seen.words)


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: measured chi against layer at some densities. Right: chi in the deeper half against density, with theory."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    panels = list(rows.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(panels), 2, figsize=(13, 4 * len(panels)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(panels, axes, strict=True):
        name = panel_name(rows, run, state)
        measured = part[part["source"] == "measured"]
        layer_lines(measured, left, "chi")
        finish(left, measured["chi"], f"{name}: measured in each hidden layer", "chi")
        draw_theories(part, right)
        finish(
            right,
            deeper(part)["chi"],
            f"{name}: deeper half, measured and predicted",
            f"chi, mean of layers {deeper_words(part)}",
        )
    return figure


def draw_theories(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    means = deeper(part).groupby(["seed", "density", "source"], as_index=False)["chi"].mean()
    look = {"hue": "source", "hue_order": SOURCES, "style": "source", "style_order": SOURCES, "markers": True}
    sns.lineplot(means, x="density", y="chi", errorbar=interval, ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(part["seed"].nunique()))


def finish(axes: "Axes", values: "pd.Series", title: str, ylabel: str) -> None:
    axes.axhline(1, color="black", linewidth=1)
    axes.set(title=title, ylabel=ylabel)
    log_height(axes, values, 0.2, 2.2)


def deeper(part: "pd.DataFrame") -> "pd.DataFrame":
    return part[part["layer"] > part["layer"].max() // 2]


def deeper_words(part: "pd.DataFrame") -> str:
    return f"{deeper(part)['layer'].min()} to {part['layer'].max()}"


def headline(table: "pd.DataFrame") -> str:
    """chi of the rewound net at both ends, and how far each theory is off at the sparse one."""
    runs = table[table["state"] == "rewound"].groupby("run")
    return f"{'; '.join(f'{run}: {summary(part)}' for run, part in runs)} (means over seeds, deeper half of the layers)."


def summary(part: "pd.DataFrame") -> str:
    """Theory is compared in the layers that it reaches."""
    deep = deeper(part)
    measured, density = deep[deep["source"] == "measured"], deep.groupby("level")["density"].mean()
    first, last = density.index[0], density.index[-1]
    chi = measured.groupby("level")["chi"].mean()
    ends = f"{chi[first]:.3g} densest (density {density[first]:.1%}), {chi[last]:.3g} sparsest (density {density[last]:.1%})"
    return f"chi of the rewound net is {ends}; {theory_over_measured(deep[deep['level'] == last])}"


def theory_over_measured(deep: "pd.DataFrame") -> str:
    cells = deep.pivot_table("chi", ["seed", "layer"], "source")
    off = []
    for source in (T0, T1, T2):
        if source in cells:
            both = cells[["measured", source]].dropna()
            off.append(f"{source.split()[0]} x{both[source].mean() / both['measured'].mean():.2g}")
    return f"there theory over measured is {', '.join(off)}" if off else "no theory reaches these layers"
