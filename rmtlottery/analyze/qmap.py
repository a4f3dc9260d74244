"""Does theory give the length q of the signal in each layer of a pruned net?

Measured: the mean of h^2 over units, pixels and test inputs. T0 takes the nominal sigmas, layer by layer; T1 the
survivors' std times sqrt(dense fan-in), which is the wrong normalisation and the one that density plots without a
correction use; T2 density times the survivors' second moment. T1 and T2 take one sigma_w and one sigma_b for all hidden
layers. In a convolution the length map is averaged over the window that each pixel sees, the padding counting as 0; theory
ends where layers are pooled. `state` is rewound (theta_k under the mask) or trained.
"""

from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    legend_beside,
    mean_density,
    plain_log_ticks,
    seeds_words,
    spread,
)
from rmtlottery.analyze._theory import SOURCES, T0, T1, T2, predictions
from rmtlottery.measure.signal import hidden_lengths, probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def table(ticket: Ticket, *, samples: int = 1000) -> "pd.DataFrame":
    """Columns: state, layer, q, source, input_length (mean |x|^2 / fan_in), inputs (which, how many, preprocessing)."""
    import pandas as pd

    seen = probe(ticket, samples)
    rows: list[dict[str, Any]] = []
    for state, weights in ticket.states.items():
        measured = enumerate(hidden_lengths(seen.network, weights, seen.x), start=1)
        rows += [{"state": state, "layer": layer, "q": q, "source": "measured"} for layer, q in measured]
        rows += [{"state": state} | row for row in predictions(ticket, weights, seen)]
    length = seen.x.double().square().mean().item()
    return pd.DataFrame(rows).drop(columns="chi", errors="ignore").assign(input_length=length, inputs=seen.words)


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: measured q against layer at some densities. Right: q in the deeper half against density, with theory."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    panels = list(rows.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(panels), 2, figsize=(13, 4 * len(panels)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(panels, axes, strict=True):
        title = f"{run}\n{state}" if rows["run"].nunique() > 1 else str(state)
        draw_layers(part[part["source"] == "measured"], left, f"{title}: measured in each hidden layer")
        draw_theories(part, right, f"{title}: deeper half, measured and predicted")
    return figure


def draw_layers(part: "pd.DataFrame", axes: "Axes", title: str) -> None:
    import seaborn as sns

    shown = part[part["level"].isin(spread(sorted(part["level"].unique()), 6))]
    look = {"hue": "level", "palette": "viridis", "legend": "full", "marker": "o", "errorbar": interval}
    sns.lineplot(shown, x="layer", y="q", ax=axes, **look)
    axes.set_xticks(sorted(shown["layer"].unique()))
    finish(axes, title, "q, mean square pre-activation")
    lines, levels = axes.get_legend_handles_labels()
    density = shown.groupby("level")["density"].first()
    legend_beside(axes, "density", lines, [f"{100 * density[int(level)]:.3g} %" for level in levels])


def draw_theories(part: "pd.DataFrame", axes: "Axes", title: str) -> None:
    import seaborn as sns

    deep = part[part["layer"] > part["layer"].max() // 2]
    means = deep.groupby(["seed", "density", "source"], as_index=False)["q"].mean()
    look = {"hue": "source", "hue_order": SOURCES, "style": "source", "style_order": SOURCES, "markers": True}
    sns.lineplot(means, x="density", y="q", errorbar=interval, ax=axes, **look)
    density_axis(axes)
    finish(axes, title, f"q, mean of layers {deep['layer'].min()} to {deep['layer'].max()}")
    legend_beside(axes, seeds_words(part["seed"].nunique()))


def finish(axes: "Axes", title: str, ylabel: str) -> None:
    axes.set(title=title, ylabel=ylabel, yscale="log")
    plain_log_ticks(axes.yaxis)
    axes.grid(alpha=0.3)


def headline(table: "pd.DataFrame") -> str:
    """Where the measured length of the rewound net peaks and ends, and how far each theory is off at the end."""
    runs = table[table["state"] == "rewound"].groupby("run")
    return f"{'; '.join(f'{run}: {summary(part)}' for run, part in runs)} (means over seeds, deeper half of the layers)."


def summary(part: "pd.DataFrame") -> str:
    deep = part[part["layer"] > part["layer"].max() // 2]
    curves, density = deep.pivot_table("q", "level", "source"), deep.groupby("level")["density"].mean()
    measured = curves["measured"]
    peak, last = measured.idxmax(), measured.index[-1]
    off = ", ".join(f"{source.split()[0]} x{curves.loc[last, source] / measured[last]:.2g}" for source in (T0, T1, T2))
    places = {"densest": measured.index[0], "at its peak": peak, "sparsest": last}
    q = ", ".join(f"{measured[level]:.2f} {name} (density {density[level]:.1%})" for name, level in places.items())
    return f"q of the rewound net is {q}; there theory over measured is {off}; {part['seed'].nunique()} seeds"
