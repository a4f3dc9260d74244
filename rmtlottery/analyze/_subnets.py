"""Which tickets are subnets that may share one vector of weights, and how often a share of what each reaches is left."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rmtlottery.analyze._arms import task, unusual
from rmtlottery.analyze.dint import begun, words
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Affine
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd


def arms(tickets: Sequence[Ticket]) -> dict[str, list[Ticket]]:
    """Tickets that differ in their directions, and maybe in the permutation of their task, and in nothing else."""
    found: dict[str, list[Ticket]] = {}
    for ticket in tickets:
        if not ticket.metrics or ticket.spec is None:
            raise Refusal(f"{ticket} was not trained here, and is no subnet; train it first")
        chart = ticket.spec.chart
        if isinstance(chart, Affine) and chart.kind == Affine.kind and not ticket.level:
            found.setdefault(arm(ticket, chart), []).append(ticket)
    if not found:
        raise Refusal("no run in a subspace is among these: give several, each with another --draw")
    return {name: sorted(held, key=draw) for name, held in found.items()}


def arm(ticket: Ticket, chart: Affine) -> str:
    spec = ticket.spec
    assert spec is not None
    told = [task(spec.but(chart="full", shuffling=0), ticket.metrics[-1]["epoch"]), unusual(spec.net), begun(ticket)]
    return ", ".join(filter(None, [*told, f"lr {spec.optimiser.lr:g}", f"{words(replace(chart, draw=0))} d = {chart.dim}"]))


def draw(ticket: Ticket) -> int:
    assert ticket.spec is not None
    assert isinstance(ticket.spec.chart, Affine)
    return ticket.spec.chart.draw


def capacity(rows: "pd.DataFrame", share: float) -> float:
    """How many subnets there are where what is left of what they gain alone first falls to that share, straight in the
    logarithm of their number; infinite if it does not with any number that was tried, 0 if one alone gains nothing."""
    means = rows.groupby("subnets")[["accuracy", "alone", "start"]].mean().sort_index()
    left = ((means["accuracy"] - means["start"]) / (means["alone"] - means["start"])).to_numpy()
    below = np.flatnonzero(~(left >= share))
    if not len(below):
        return float("inf")
    first = int(below[0])
    if first == 0:
        return 0.0
    (x0, x1), (y0, y1) = np.log(means.index[first - 1 : first + 1]), left[first - 1 : first + 1]
    return float(np.exp(x0 + (x1 - x0) * (y0 - share) / (y0 - y1)))
