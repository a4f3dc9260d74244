"""Does theory give the length q of the signal in each layer of a pruned net?

Measured: the mean of h^2 over units and test inputs. Theory is the length map, input by input from |x|^2 / fan_in, with
T0 the nominal sigmas; T1 the survivors' std times sqrt(dense fan-in), which is the wrong normalisation and the one that
density plots without a correction use; T2 density times the survivors' second moment. T1 and T2 take one sigma_w and
one sigma_b for all hidden layers. `state` is rewound (theta_k under the mask) or trained.
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
from rmtlottery.meanfield import trajectory
from rmtlottery.measure.signal import Probe, hidden_lengths, probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T0, T1, T2 = "T0 nominal", "T1 survivors' std, dense fan-in", "T2 density x second moment"
STATES = ("rewound", "trained")


def table(ticket: Ticket, *, samples: int = 1000) -> "pd.DataFrame":
    """Columns: state, layer, q, source, input_length (mean |x|^2 / fan_in), inputs (which, how many, preprocessing)."""
    import pandas as pd

    seen = probe(ticket, samples)
    rows: list[dict[str, Any]] = []
    for state, weights in zip(STATES, (ticket.rewound, ticket.weights), strict=True):
        curves = {"measured": hidden_lengths(seen.network, weights, seen.x)} | predictions(ticket, weights, seen)
        for source, curve in curves.items():
            rows += [{"state": state, "layer": n, "q": float(q), "source": source} for n, q in enumerate(curve, start=1)]
    return pd.DataFrame(rows).assign(input_length=seen.input_lengths.mean().item(), inputs=seen.words)


def predictions(ticket: Ticket, weights: dict[str, Any], seen: Probe) -> dict[str, Any]:
    """q of every hidden layer by each theory: its trajectory of every input, averaged over the inputs."""
    assert ticket.spec is not None
    depth, lengths = len(ticket.mask) - 1, seen.input_lengths.numpy()
    curves = {}
    for source, (variance_w, variance_b) in variances(ticket, weights).items():
        first = variance_w * lengths + variance_b
        curve = trajectory(first, depth, variance_w**0.5, variance_b**0.5, ticket.spec.net.phi)
        curves[source] = curve.mean(axis=1)
    return curves


def variances(ticket: Ticket, weights: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """(sigma_w^2, sigma_b^2) of each theory."""
    assert ticket.spec is not None
    nominal = (ticket.spec.init.sigma_w**2, ticket.spec.init.sigma_b**2)
    hidden = list(ticket.mask)[:-1]
    bias = mean([weights[name.replace("weight", "bias")].double().square().mean().item() for name in hidden])
    kept = [(weights[name][ticket.mask[name]].double(), ticket.mask[name]) for name in hidden]
    survivors = mean([w.var(correction=0).item() * mask.shape[1] for w, mask in kept])
    density_corrected = mean([w.square().sum().item() / mask.shape[0] for w, mask in kept])
    return {T0: nominal, T1: (survivors, bias), T2: (density_corrected, bias)}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: measured q against layer at some densities. Right: q in the deeper half against density, with theory."""
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    panels = list(rows.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(panels), 2, figsize=(13, 4 * len(panels)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(panels, axes, strict=True):
        title = f"{run}, {state}" if rows["run"].nunique() > 1 else str(state)
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
    order = ["measured", T0, T1, T2]
    look = {"hue": "source", "hue_order": order, "style": "source", "style_order": order, "markers": True}
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
