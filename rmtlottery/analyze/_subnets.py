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
    """How many subnets there are where mean accuracy first falls to that share of one alone, straight in their logarithm;
    infinite if it does not with any number that was tried."""
    means = rows.groupby("subnets")["accuracy"].mean().sort_index()
    floor = share * means.iloc[0]
    below = np.flatnonzero(means.to_numpy() < floor)
    if not len(below):
        return float("inf")
    first = int(below[0])
    (x0, x1), (y0, y1) = np.log(means.index[first - 1 : first + 1]), means.iloc[first - 1 : first + 1]
    return float(np.exp(x0 + (x1 - x0) * (y0 - floor) / (y0 - y1)))
