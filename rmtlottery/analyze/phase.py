"""Where on the phase diagram does a pruned net stand?

One point a density: sigma_w and sigma_b of all hidden layers together, sigma_w^2 = density x fan_in x the survivors'
second moment (T2), sigma_b^2 the biases' mean square, beside the nominal ones (T0, the median layer). Left of the
critical line (chi < 1) all inputs end up alike, right of it (chi > 1) they fall apart or, where `phase` is divergent,
grow without end; near it signals reach deepest, xi_c layers. The point is where theory puts a net of *independent*
weights of that size; `qmap` and `ladder` tell how far a ticket is from one.
"""

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import legend_beside, mean_density, panel_name, percent, spread
from rmtlottery.analyze.rungs.names import T0, T2
from rmtlottery.analyze.rungs.pooled import variances
from rmtlottery.meanfield import critical_sigma_w, fixed_point
from rmtlottery.measure.signal import probe
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net's activation and biases"
CELLS = 61
NAMED = 6


def table(ticket: Ticket) -> "pd.DataFrame":
    """Columns: state, source, phi, sigma_w, sigma_b, q (fixed point), chi, xi_c, phase."""
    import pandas as pd

    probe(ticket, 1)  # refuses what is no chain of layers
    phi = ticket.spec.net.phi  # type: ignore[union-attr]
    rows: list[dict[str, Any]] = []
    for state, weights in ticket.states.items():
        held = variances(ticket, weights)
        for source in (T0, T2):
            if source in held:
                sigma_w, sigma_b = (square**0.5 for square in sorted(held[source])[len(held[source]) // 2])
                try:
                    rows.append({"state": state, "source": source, "phi": phi} | standing(sigma_w, sigma_b, phi))
                except (ValueError, ArithmeticError) as unanswered:
                    raise Refusal(f"{ticket} stands at ({sigma_w:g}, {sigma_b:g}): {unanswered}") from None
    return pd.DataFrame(rows)


def standing(sigma_w: float, sigma_b: float, phi: str) -> dict[str, Any]:
    point = fixed_point(sigma_w, sigma_b, phi)
    held = {name: float(getattr(point, name)) for name in ("q", "chi", "xi_c")}
    return {"sigma_w": sigma_w, "sigma_b": sigma_b} | held | {"phase": str(point.phase)}


def plot(table: "pd.DataFrame") -> "Figure":
    """A row for each run, a panel for each state: chi in colour, the critical line, the net's way from dense to sparse."""
    import matplotlib.pyplot as plt

    held = mean_density(table)
    runs, states = held["run"].unique(), held["state"].unique()
    size = (7.5 * len(states), 5 * len(runs))
    figure, axes = plt.subplots(len(runs), len(states), figsize=size, squeeze=False, layout="constrained")
    for (run, state), panel in zip(product(runs, states), axes.flat, strict=True):
        part = held[(held["run"] == run) & (held["state"] == state)]
        if part.empty:
            panel.set_axis_off()
            continue
        draw_phases(part, panel)
        draw_way(part, panel)
        panel.set(title=f"{panel_name(held, run, state)}: {part['phi'].iloc[0]}", xlabel="sigma_w", ylabel="sigma_b")
    return figure


def draw_phases(part: "pd.DataFrame", axes: "Axes") -> None:
    phi = part["phi"].iloc[0]
    sigma_w = np.linspace(0.02, 1.15 * max(2.0, part["sigma_w"].max()), CELLS)
    sigma_b = np.linspace(0, 1.5 * max(0.4, part["sigma_b"].max()), CELLS)
    chi = fixed_point(sigma_w, sigma_b[:, None], phi).chi
    drawn = axes.pcolormesh(
        sigma_w, sigma_b, np.log2(np.maximum(chi, 1e-6)), cmap="RdBu_r", vmin=-3, vmax=3, shading="gouraud"
    )
    axes.figure.colorbar(drawn, ax=axes, label="log2 chi", location="left", pad=0.1)
    draw_line(np.maximum(sigma_b, 1e-6), phi, axes)
    axes.set(xlim=(sigma_w[0], sigma_w[-1]), ylim=(sigma_b[0], sigma_b[-1]))


def draw_line(sigma_b: np.ndarray, phi: str, axes: "Axes") -> None:
    """Dotted where chi = 1 belongs to an unstable length, as of gelu and silu for a small sigma_b."""
    line = critical_sigma_w(sigma_b, phi)
    stands = np.abs(fixed_point(line, sigma_b, phi).chi - 1) < 1e-6
    axes.plot(np.where(stands, line, np.nan), sigma_b, color="black", linewidth=2, label="critical line")
    if not stands.all():
        axes.plot(np.where(stands, np.nan, line), sigma_b, color="black", linestyle=":", label="unstable length")


def draw_way(part: "pd.DataFrame", axes: "Axes") -> None:
    means = part.groupby(["source", "level", "density"], as_index=False)[["sigma_w", "sigma_b"]].mean()
    way, nominal = means[means["source"] == T2], means[means["source"] == T0].iloc[:1]
    dots: dict[str, Any] = {"edgecolor": "black", "zorder": 3}
    axes.plot(way["sigma_w"], way["sigma_b"], color="grey", linewidth=1)
    axes.scatter(way["sigma_w"], way["sigma_b"], c=np.log(way["density"]), cmap="viridis_r", label="T2", **dots)
    axes.scatter(nominal["sigma_w"], nominal["sigma_b"], marker="*", s=160, color="gold", label="nominal", **dots)
    name_levels(way.iloc[spread(range(len(way)), NAMED)], axes)
    legend_beside(axes, "")


def name_levels(way: "pd.DataFrame", axes: "Axes") -> None:
    """Densities above and below the way in turn, but for those that would stand on the one before."""
    last, width = np.inf, np.ptp(axes.get_xlim())
    for number, (_, row) in enumerate(way.iterrows()):
        if abs(row["sigma_w"] - last) < width / 16:
            continue
        below, last = number % 2, row["sigma_w"]
        look: dict[str, Any] = {"ha": "center", "va": "top" if below else "bottom", "xytext": (0, -8 if below else 8)}
        axes.annotate(percent(row["density"]), (row["sigma_w"], row["sigma_b"]), textcoords="offset points", **look)


def headline(table: "pd.DataFrame") -> str:
    """Where the rewound and the trained net of every run begin and end."""
    parts = mean_density(table).groupby(["run", "state"])
    return f"{'; '.join(f'{run}, {state}: {summary(part)}' for (run, state), part in parts)}."


def summary(part: "pd.DataFrame") -> str:
    way = part[part["source"] == T2].groupby(["level", "density"])[["sigma_w", "sigma_b", "chi"]].mean()
    return " to ".join(
        f"({row['sigma_w']:.3g}, {row['sigma_b']:.3g}), chi {row['chi']:.3g}, at density {percent(at[1])}"
        for at, row in way.iloc[[0, -1]].iterrows()
    )
