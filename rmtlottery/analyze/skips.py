"""Does the recursion over skips of two layers give the length of the signal in a residual net?

Measured: the mean square of the stream over units, pixels and test inputs, before the first block (`block` 0) and behind
each. In a `skip` net the stream is the pre-activation, and q <- q + Q2(Q1(q)) follows each test input from its |x|^2: with
the nominal sigmas, or with sigma_w^2 = fan-in times the mean square of all of a layer's weights, the cut ones too, and
sigma_b^2 that of its biases; told the measured start, only the recursion is left to be wrong. In a `resnet` the stream is
what relu leaves and the branches are normalised: x <- relu(x + N(beta, gamma^2)) from x = 0, a channel that is added
starting there, and no mask enters but where it empties a row, whose branch is then beta alone. Both take the branch and
the stream to know nothing of each other, which training may undo. A normalisation takes the statistics of the inputs, one
batch (`statistics`), as in training: the running ones of a rewound net are those of no data. `state` is rewound (theta_k
under the mask) or trained. One net is not its mean, and one of few channels is far from it.
"""

from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._style import (
    density_axis,
    interval,
    layer_lines,
    legend_beside,
    mean_density,
    panel_name,
    seeds_words,
)
from rmtlottery.meanfield.reflected import reflected_lengths
from rmtlottery.meanfield.residual import residual_map
from rmtlottery.measure.residual import stream, stream_lengths
from rmtlottery.measure.signal import every_nominal
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
NETS = ("resnet", "skip")
MEASURED, NOMINAL, MOMENTS = "measured", "nominal sigmas", "second moments"
STARTED = "second moments, measured start"
PLAIN, SCALES, ROWS = "gamma 1, beta 0", "gamma and beta", "gamma and beta, empty rows"
BEST = (STARTED, ROWS)
Layers = dict[str, tuple[float, float]]


def table(ticket: Ticket, *, samples: int = 1000) -> "pd.DataFrame":
    """Columns: state, block (0: before the first), q, source, inputs, statistics."""
    import pandas as pd

    seen, frames = stream(ticket, samples), []
    given = seen.x.double().square().mean(1).numpy()
    for state, weights in ticket.states.items():
        measured = stream_lengths(seen.network, weights, seen.x).numpy()
        theory = sums(ticket, weights, given, measured[:, 0]) if chained(ticket) else walks(ticket, weights)
        for source, q in ({MEASURED: measured.mean(0)} | theory).items():
            frames.append(pd.DataFrame({"state": state, "block": range(len(q)), "q": q, "source": source}))
    return pd.concat(frames, ignore_index=True).assign(inputs=seen.inputs, statistics=seen.statistics)


def chained(ticket: Ticket) -> bool:
    """Whether the stream is fully connected and adds pre-activations."""
    return ticket.spec is not None and ticket.spec.net.kind == "skip"


def sums(ticket: Ticket, weights: Weights, given: "np.ndarray", start: "np.ndarray") -> "dict[str, np.ndarray]":
    """Lengths add: from |x|^2 / fan-in of each input, or from its measured length before the first block."""
    own = {name: moments(weights, name) for name in ticket.mask}
    courses = {MOMENTS: (own, first(given, own)), STARTED: (own, start)}
    if held := nominal(ticket):
        courses = {NOMINAL: (held, first(given, held))} | courses
    return {source: added(ticket, *course) for source, course in courses.items()}


def nominal(ticket: Ticket) -> Layers:
    """The sigmas of the init, if it has any."""
    try:
        return dict(zip(ticket.mask, every_nominal(ticket), strict=True))
    except Refusal:
        return {}


def moments(weights: Weights, name: str) -> tuple[float, float]:
    """A layer's sigma_w and sigma_b as its weights and biases have them."""
    weight, bias = weights[name].double(), weights[name.removesuffix("weight") + "bias"].double()
    return weight.square().sum(1).mean().sqrt().item(), bias.square().mean().sqrt().item()


def first(given: "np.ndarray", layers: Layers) -> "np.ndarray":
    weight, bias = layers["fc1.weight"]
    return weight**2 * given + bias**2


def added(ticket: Ticket, layers: Layers, q: "np.ndarray") -> "np.ndarray":
    import numpy as np

    assert ticket.spec is not None
    net: Any = ticket.spec.net
    rows = [q]
    for block in range(net.blocks):
        pairs = [layers[f"blocks.{block}.fc{place}.weight"] for place in (1, 2)]
        sigma_w, sigma_b = zip(*pairs, strict=True)
        rows.append(residual_map(rows[-1], sigma_w, sigma_b, net.phi))
    return np.stack(rows).mean(1)


def walks(ticket: Ticket, weights: Weights) -> "dict[str, np.ndarray]":
    """Walks held at 0, of branches as they are made, as they are scaled, and as the mask leaves them."""
    import numpy as np

    ends = {"norm": "stem"} | {f"blocks.{k}.norm2": f"blocks.{k}.conv2" for k in range(len(ticket.mask) // 2 - 1)}
    widths = [len(weights[f"{norm}.weight"]) for norm in ends]
    shift, spread, kept = np.zeros((3, len(ends), max(widths)))
    for place, (norm, layer) in enumerate(ends.items()):
        shift[place, : widths[place]] = weights[f"{norm}.bias"].double()
        spread[place, : widths[place]] = weights[f"{norm}.weight"].double().abs()
        kept[place, : widths[place]] = ticket.mask[f"{layer}.weight"].flatten(1).any(1)
    there = np.arange(max(widths)) < np.array(widths)[:, None]
    branches = {PLAIN: (0 * shift, 1.0 * there), SCALES: (shift, spread), ROWS: (shift, spread * kept)}
    return {source: reflected_lengths(*branch).sum(1) / widths for source, branch in branches.items()}


def plot(table: "pd.DataFrame") -> "Figure":
    """Left: length against block at some densities, dashed the theory that knows most. Right: behind the last block."""
    import matplotlib.pyplot as plt

    held = mean_density(table).rename(columns={"block": "layer"})
    parts = list(held.groupby(["run", "state"]))
    figure, axes = plt.subplots(len(parts), 2, figsize=(14, 4.2 * len(parts)), squeeze=False, layout="constrained")
    for ((run, state), part), (left, right) in zip(parts, axes, strict=True):
        name, theory = panel_name(held, run, state), part[part["source"].isin(BEST)]
        layer_lines(part[part["source"] == MEASURED], left, "q", dashed=theory)
        left.set(title=f"{name}: measured, dashed {theory['source'].iloc[0]}", xlabel="block (0: before the first)")
        left.set(ylabel="q, mean square of the stream", ylim=(0, 1.1 * part["q"].max()))
        draw_end(part[part["layer"] == part["layer"].max()], right)
        right.set(
            title=f"{name}: behind block {part['layer'].max()}", ylabel="q, mean square of the stream", ylim=left.get_ylim()
        )
    return figure


def draw_end(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    order = list(dict.fromkeys(part["source"]))
    look = {"hue": "source", "hue_order": order, "style": "source", "style_order": order, "markers": True}
    sns.lineplot(part, x="density", y="q", errorbar=interval, ax=axes, **look)
    density_axis(axes)
    axes.grid(alpha=0.3)
    legend_beside(axes, seeds_words(part["seed"].nunique()))


def headline(table: "pd.DataFrame") -> str:
    """The length behind the last block, dense and sparse, and how far each theory is off behind any block."""
    found = "; ".join(f"{run}, {state}: {summary(part)}" for (run, state), part in table.groupby(["run", "state"]))
    return f"Mean square of the stream: {found} (means over seeds {sorted(table['seed'].unique().tolist())})."


def summary(part: "pd.DataFrame") -> str:
    cells = part.pivot_table("q", ["level", "block"], "source")
    end, density = cells.xs(part["block"].max(), level="block")[MEASURED], part.groupby("level")["density"].mean()
    theory = [source for source in (NOMINAL, PLAIN, *BEST) if source in cells]
    off = (cells[theory].div(cells[MEASURED], axis=0) - 1).abs().max()
    words = ", ".join(f"{source} {off[source]:.1%}" for source in theory)
    last = density.index[-1]
    return (
        f"{end.iloc[0]:.2f} densest and {end[last]:.2f} sparsest (density {density[last]:.1%}) behind the last block; "
        f"theory is off by at most, behind any block at any density: {words}"
    )
