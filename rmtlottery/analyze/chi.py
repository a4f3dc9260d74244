"""Is chi near 1 in each layer of a pruned net, and does theory give it?

chi is the factor by which a layer stretches small changes of the signal: |D W|_F^2 / N with the slopes D of phi, averaged
over test inputs. Below 1 gradients vanish with depth, above 1 they explode. It falls for one of two reasons, which the
figure keeps apart: chi = gain x slope, with the gain |W|_F^2 / N, which pruning takes away, and the mean slope phi'^2
(weighed by the units' gains), which longer signals saturate. Predictions are the rungs of the ladder, told in `qmap`;
each takes the slopes at its own lengths. Theory ends where layers are pooled. `state` is rewound (theta_k under the mask)
or trained.
"""

from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._compare import best_rung, deeper, of_each_run, panels, rows, theory_over_measured
from rmtlottery.analyze._style import density_axis, interval, legend_beside
from rmtlottery.analyze.rungs.names import MEASURED
from rmtlottery.measure.signal import gains, probe
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"


def table(ticket: Ticket, *, samples: int = 1000, parts: int = 1) -> "pd.DataFrame":
    """Columns: state, layer, source, chi, gain, slope (chi / gain), inputs, skipped (rungs, and why)."""
    seen = probe(ticket, samples)

    def measured(weights: Weights) -> list[dict[str, Any]]:
        found = enumerate(gains(seen.network, weights, seen.x), start=1)
        return [{"source": MEASURED, "layer": at, "chi": chi, "gain": gain} for at, (chi, gain) in found]

    held = rows(ticket, seen, parts, measured, ["chi", "gain"])
    return held.assign(slope=held["chi"] / held["gain"].where(held["gain"] > 0))


def plot(table: "pd.DataFrame") -> "Figure":
    figure = panels(table, "chi", "chi", heights=(0.2, 2.2), draw_right=draw_split)
    for axes in figure.axes[::3] + figure.axes[1::3]:
        axes.axhline(1.0, color="black", linewidth=1)
    return figure


def draw_split(part: "pd.DataFrame", axes: "Axes") -> None:
    """log chi and its two parts in the deeper half of the layers, measured, and dashed by the best rung."""
    import numpy as np
    import seaborn as sns

    deep, best = deeper(part), best_rung(part)
    shown = deep[deep["source"].isin((MEASURED, best))]
    logs = shown.melt(["seed", "level", "density", "layer", "source"], ["gain", "slope", "chi"], "part", "value")
    means = (
        logs.assign(value=np.log2(logs["value"].clip(lower=1e-12)))
        .groupby(["seed", "density", "source", "part"])["value"]
        .mean()
    )
    look = {"hue": "part", "style": "source", "style_order": [MEASURED, best] if best else [MEASURED], "errorbar": interval}
    sns.lineplot(means.reset_index(), x="density", y="value", ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    axes.axhline(0, color="black", linewidth=1)
    legend_beside(axes, "")
    axes.set(title="log chi = log gain + log slope", ylabel="log2, mean over the deeper half")


def headline(table: "pd.DataFrame") -> str:
    """chi of the rewound net at both ends, and how far each theory is off at the sparse one."""
    return of_each_run(table, summary)


def summary(deep: "pd.DataFrame") -> str:
    measured, density = deep[deep["source"] == MEASURED], deep.groupby("level")["density"].mean()
    means = measured.groupby("level")[["chi", "gain", "slope"]].mean()
    ends = [
        f"{words(means.loc[at])} {name} (density {density[at]:.1%})"
        for name, at in (("densest", density.index[0]), ("sparsest", density.index[-1]))
    ]
    off = theory_over_measured(deep[deep["level"] == density.index[-1]], "chi")
    return f"chi of the rewound net is {', '.join(ends)}; sparsest {off}"


def words(means: "pd.Series") -> str:
    return f"{means['chi']:.3g} (gain {means['gain']:.3g}, slope {means['slope']:.3g})"
