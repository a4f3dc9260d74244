"""How far can training be compressed, along the axes as masks do it, and along directions?

Test accuracy after the last epoch against D over what is trained: coordinates of a subspace, or kept weights and biases of a
pruned net. Two kinds of space, four uses of training: none (random masks, random directions), the weights to start from
(`after:STEP`, rewinding to a step), the space (iterated masks rewound to theta_0, principal directions of the training), or
both: the table of Larsen et al. (2022). The headline tells the largest compression at which the mean over seeds is still
`share` of the whole net's, straight in the logarithm between those that were trained.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._style import legend_beside, percent, plain_log_ticks, seeds_words, share_interval
from rmtlottery.analyze.dint import STARTS
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import AtInit, Few, Principal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NEEDS = "what training recorded"
AXES, GENERAL = "axis-aligned", "general"
NOTHING, START, SPACE, BOTH = "nothing", "start", "space", "start and space"
USES = (NOTHING, START, SPACE, BOTH)
WHOLE = "whole"
# Masks that no training told: by chance, or of what there is before it.
BY_LOOKS = {"init_mask", "snip_mask", "grasp_mask", "synflow_mask", "aligned_mask", "local_mask", "local_init_mask"}
UNTOLD = {"random_mask", "shuffle_mask", *BY_LOOKS}


def table(ticket: Ticket, *, share: float = 0.95) -> "pd.DataFrame":
    """Columns: data, space (axis-aligned, general, whole), uses, compression, trained, ambient, accuracy, share, source."""
    import pandas as pd

    if not ticket.metrics or ticket.spec is None:
        raise Refusal(f"{ticket} was not trained here, and reached nothing; train it first")
    if not 0 < share <= 1:
        raise Refusal(f"share = {share:g} is no part of an accuracy: take one above 0, up to 1")
    ambient = sum(ticket.weights[name].numel() for name in ticket.record["parameters"])
    trained = coordinates(ticket, ambient)
    row: dict[str, Any] = {"data": ticket.spec.data.kind, "space": space(ticket, trained, ambient), "uses": uses(ticket)}
    row |= {"compression": ambient / trained, "trained": trained, "ambient": ambient}
    return pd.DataFrame([row | {"accuracy": ticket.metrics[-1]["test_accuracy"], "share": share, "source": "measured"}])


def coordinates(ticket: Ticket, ambient: int) -> int:
    """How many numbers were trained."""
    assert ticket.spec is not None
    if isinstance(ticket.spec.chart, Few):
        return ticket.spec.chart.dim
    return ambient - sum(int((~mask).sum()) for mask in ticket.mask.values())


def space(ticket: Ticket, trained: int, ambient: int) -> str:
    assert ticket.spec is not None
    if isinstance(ticket.spec.chart, Few):
        return GENERAL
    return AXES if trained < ambient else WHOLE


def uses(ticket: Ticket) -> str:
    """What training was used for before this one."""
    assert ticket.spec is not None
    controls = str(ticket.record.get("control") or "").split(",")
    late = ticket.level > 0 and getattr(ticket.spec.prune, "rewind", 0) > 0 and "fresh_init" not in controls
    started = late or any(name == "trained" or name.partition(":")[0] in STARTS for name in controls)
    masked = not all(bool(mask.all()) for mask in ticket.mask.values())
    masked = masked and not (UNTOLD & set(controls) or isinstance(ticket.spec.prune, AtInit))
    shaped = isinstance(ticket.spec.chart, Principal) or masked
    return {(False, False): NOTHING, (True, False): START, (False, True): SPACE, (True, True): BOTH}[started, shaped]


def plot(table: "pd.DataFrame") -> "Figure":
    """A panel a data set: accuracy against compression, a line for each use of training in each kind of space."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    parts = list(table.groupby("data", sort=False))
    figure, axes = plt.subplots(len(parts), 1, figsize=(10, 4.6 * len(parts)), squeeze=False, layout="constrained")
    for (name, part), panel in zip(parts, axes.flat, strict=True):
        few = part[part["space"] != WHOLE]
        look = {"hue": "uses", "hue_order": USES, "style": "space", "style_order": [GENERAL, AXES], "markers": True}
        sns.lineplot(few, x="compression", y="accuracy", errorbar=share_interval, ax=panel, **look)
        whole = part.loc[part["space"] == WHOLE, "accuracy"]
        if len(whole):
            panel.axhline(whole.mean(), color="0.4", linestyle=":", label=f"all weights: {whole.mean():.1%}")
        panel.set(
            xscale="log", xlabel="compression: weights and biases / numbers trained", ylabel="test accuracy", title=name
        )
        plain_log_ticks(panel.xaxis)
        panel.grid(alpha=0.3)
        legend_beside(panel, f"what training was used for,\nand the kind of space\n{seeds_words(part['seed'].nunique())}")
    return figure


def headline(table: "pd.DataFrame") -> str:
    """The largest compression of each cell of the table of two kinds of space and four uses."""
    return " ".join(f"{name}: {cells(part)}." for name, part in table.groupby("data", sort=False))


def cells(part: "pd.DataFrame") -> str:
    whole = part.loc[part["space"] == WHOLE, "accuracy"]
    if whole.empty:
        return "no net of all weights is among these, to be a share of"
    floor = part["share"].iloc[0] * whole.mean()
    told = [
        f"{space}, training used for {use} {words(rows, floor)}"
        for (space, use), rows in part[part["space"] != WHOLE].groupby(["space", "uses"], sort=False)
    ]
    wanted = f"{percent(part['share'].iloc[0])} of the {whole.mean():.1%} of all weights"
    return f"largest compression that keeps {wanted}: {'; '.join(told) or 'none was tried'}"


def words(rows: "pd.DataFrame", floor: float) -> str:
    value = largest(rows, floor)
    if not value:
        return f"below {rows['compression'].min():.3g}"
    return f"{value:.3g}" if value < rows["compression"].max() else f"{value:.3g} or more"


def largest(rows: "pd.DataFrame", floor: float) -> float:
    """Where mean accuracy last is the floor, from the least compression on; 0 if it is not even there."""
    means = rows.groupby("compression")["accuracy"].mean().sort_index()
    below = np.flatnonzero(means.to_numpy() < floor)
    if not len(below):
        return float(means.index[-1])
    first = int(below[0])
    if first == 0:
        return 0.0
    (x0, x1), (y0, y1) = np.log(means.index[first - 1 : first + 1]), means.iloc[first - 1 : first + 1]
    return float(np.exp(x0 + (x1 - x0) * (y0 - floor) / (y0 - y1)))
