"""How many nets, each trained along random directions of its own, fit into one vector of weights?

Asked of runs in subspaces that began at the same weights, each with another `draw` and maybe another permutation of the task
(`shuffling`). The first K of them, K = 1, 2, 4, ..., are kept as w_0 + A_1 x_1 + ... + A_K x_K and read again: `sum` takes
all of it, `projection` what lies within A_k, `mask` a soft mask (in each weight, the share that the subnet's expected square
is of all of theirs), `unmixed` the least squares over all subnets at once. `noise` is the squared error of the displacement
that is read, over its square; `load` is K d / D; loss is that of the first `samples` training samples (0: all), accuracy
that of the test part, each of the subnet's own task, all means over subnets. `alone` is the accuracy of each by itself,
`start` that of w_0, and `together` that of the sum of all logits, if all have one task. Predicted are the noise of uniformly
random subspaces, given the mean cosine of the displacements, and the loss to second order where noise of that size is added,
which meets the mean curvature of H along `probes` random directions: any for `sum`, the subnet's own for projections. How
many fit is told where `share` is left of what subnets alone are better by than their start.
"""

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._sharing import capacity, complete, gains, several
from rmtlottery.analyze._style import legend_beside, percent, plain_log_ticks
from rmtlottery.measure.stored import READOUTS, Stored
from rmtlottery.measure.subnets import Subnet
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.width import interference

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
OF_SUBNETS = True
CHARTS = ("affine",)
MEASURED, PREDICTED = "measured", "predicted"
OWN = ("projection", "unmixed")  # what these miss of a displacement lies in its own subspace
LEAST = 1e-3  # squared errors up to this are as good as none, and not drawn on a logarithmic axis
ENDS = {"alone": ":", "start": "-."}
WORDS = 110  # of a line of a title


def table(tickets: list[Ticket], *, samples: int = 1000, probes: int = 8, share: float = 0.9) -> "pd.DataFrame":
    """Columns: arm, readout, subnets, load, noise, loss, accuracy, alone, start, together, dim, ambient, share, source."""
    import pandas as pd

    if not 0 < share < 1:
        raise Refusal(f"share = {share:g} is no part of an accuracy between 0 and 1")
    if probes < 1:
        raise Refusal(f"probes = {probes} is not at least 1")
    found = []
    for name, held in several(tickets).items():
        stored = Stored.of(held)
        subnets = [Subnet(*one, samples) for one in zip(held, stored.maps, stored.moved, strict=True)]
        rows = [*measured(stored, subnets), *predicted(stored, subnets, probes)]
        found.append(pd.DataFrame(rows).assign(arm=name, share=share))
    return pd.concat(found, ignore_index=True)


def sizes(most: int) -> list[int]:
    """1, 2, 4, ... and all."""
    return [*(2**power for power in range(most.bit_length()) if 2**power < most), most]


def place(stored: Stored) -> dict[str, Any]:
    """How many subnets there are, and how much of the room they take."""
    dim, ambient, many = stored.maps[0].dim, len(stored.start), len(stored.maps)
    return {"subnets": many, "dim": dim, "ambient": ambient, "load": many * dim / ambient}


def measured(stored: Stored, subnets: list[Subnet]) -> Iterator[dict[str, Any]]:
    """A row a number of subnets and read-out."""
    alone = [right(subnet.logits(subnet.moved), subnet.test.y) for subnet in subnets]
    start = [right(subnet.logits(0 * subnet.moved), subnet.test.y) for subnet in subnets]
    for number in sizes(len(subnets)):
        some = stored.first(number)
        facts = place(some) | {"alone": np.mean(alone[:number]), "start": np.mean(start[:number]), "source": MEASURED}
        for readout in READOUTS:
            yield facts | {"readout": readout} | scored(subnets[:number], some.readings(readout))


def scored(subnets: list[Subnet], read: "torch.Tensor") -> dict[str, Any]:
    """Means over subnets, each of what is read of it."""
    found, logits = [], []
    for subnet, moved in zip(subnets, read, strict=True):
        logits.append(subnet.logits(moved))
        missed = (moved - subnet.moved).square().sum() / subnet.moved.square().sum()
        found.append([float(missed), subnet.loss(moved), right(logits[-1], subnet.test.y)])
    one_task = len({subnet.task for subnet in subnets}) == 1
    together = right(sum(logits), subnets[0].test.y) if one_task else np.nan
    return dict(zip(("noise", "loss", "accuracy"), np.mean(found, 0), strict=True)) | {"together": together}


def right(logits: Any, labels: "torch.Tensor") -> float:
    return float((logits.argmax(1) == labels).float().mean())


def predicted(stored: Stored, subnets: list[Subnet], probes: int) -> Iterator[dict[str, Any]]:
    """The same rows by theory, their losses from the curvatures at the trained weights of each."""
    numbers = generator(subnets[0].ticket.seed or 0, "subnets")
    laws: dict[str, Any] = {"touched": stored.touched, "cosine": stored.cosine, "law": stored.maps[0].law}
    alone = [subnet.loss(subnet.moved) for subnet in subnets]
    rises = {within: [subnet.rise(within, probes, numbers) for subnet in subnets] for within in (False, True)}
    for number in sizes(len(subnets)):
        facts = place(stored.first(number))
        for readout in READOUTS:
            noise = float(interference(readout, number, facts["dim"], facts["ambient"], **laws))
            rise = noise * np.mean(rises[readout in OWN][:number]) if readout != "mask" else np.nan
            row = {"readout": readout, "source": PREDICTED, "noise": noise, "loss": np.mean(alone[:number]) + rise}
            yield facts | row


def plot(table: "pd.DataFrame") -> "Figure":
    """A row an arm: noise and accuracy over K d / D, and the loss over the noise; means over seeds."""
    import matplotlib.pyplot as plt

    parts = list(table.groupby("arm", sort=False))
    figure, axes = plt.subplots(len(parts), 3, figsize=(17, 4.8 * len(parts)), squeeze=False, layout="constrained")
    for (name, part), (first, middle, last) in zip(parts, axes, strict=True):
        draw(part, "load", "noise", first)
        draw(part, "load", "accuracy", middle)
        draw(part, "noise", "loss", last)
        means = part.groupby("subnets")[["load", "alone", "start"]].mean()
        ends = [middle.plot(means["load"], means[end], look, color="0.4", label=end)[0] for end, look in ENDS.items()]
        middle.legend(handles=ends, loc="lower left", fontsize="small")
        first.set(yscale="log", ylim=(LEAST, None), ylabel="squared error of what is read\n/ squared displacement")
        first.set_title(fill(str(name), WORDS), loc="left", fontsize="medium")
        middle.set(ylim=(0, 1), ylabel="test accuracy, mean over subnets")
        last.set(xlabel="squared error / squared displacement", ylabel="training loss, mean over subnets", yscale="log")
        plain_log_ticks(last.yaxis)
        legend_beside(last, f"read-out\n(dashed: predicted)\n{part['seed'].nunique()} seeds")
    return figure


def draw(part: "pd.DataFrame", x: str, y: str, axes: "Axes") -> None:
    import seaborn as sns

    colours = dict(zip(READOUTS, sns.color_palette(n_colors=len(READOUTS)), strict=True))
    for (readout, source), rows in part.groupby(["readout", "source"], sort=False):
        means = rows.groupby("subnets")[[x, y]].mean().dropna()
        means = means[means["noise"] > LEAST] if "noise" in means else means
        look = {"marker": "o", "label": readout} if source == MEASURED else {"linestyle": "--", "alpha": 0.7}
        axes.plot(means[x], means[y], color=colours[readout], **look)
    axes.set(xscale="log", xlabel="load K d / D")
    axes.grid(alpha=0.3)


def headline(table: "pd.DataFrame") -> str:
    """How many fit, by each read-out; means over all subnets."""
    found = []
    for name, part in table[table["source"] == MEASURED].groupby("arm", sort=False):
        held, share = complete(part), part["share"].iloc[0]
        ends = held[held["subnets"] == held["subnets"].max()]
        words = f"{name}: one alone has {ends['alone'].mean():.1%}, the start {ends['start'].mean():.1%}"
        if gains(ends):
            each = "; ".join(fits(rows, share) for _, rows in held.groupby("readout", sort=False))
            found.append(f"{words}, and {percent(share)} of the difference is left with {each}.")
        else:
            found.append(f"{words}, so that there is nothing to lose.")
    return " ".join(found)


def fits(rows: "pd.DataFrame", share: float) -> str:
    """By the means over seeds, and in brackets the least and the most of any seed."""
    number, most, first = capacity(rows, share), rows["subnets"].max(), rows.iloc[0]
    low, *_, high = sorted([capacity(part, share) for _, part in rows.groupby("seed")] * 2)
    if number == float("inf"):
        return f"all {most} that were tried by {first['readout']}"
    load = number * first["dim"] / first["ambient"]
    ends = f"[{low:.1f}, {f'{high:.1f}' if high < float('inf') else f'above {most}'}]"
    return f"{number:.1f} {ends} subnets by {first['readout']} (K d / D = {load:.2f})"
