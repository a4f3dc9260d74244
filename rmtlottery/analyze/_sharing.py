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
        raise Refusal("no whole net with chart affine is among these: give several, each with another --draw")
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


def several(tickets: Sequence[Ticket]) -> dict[str, list[Ticket]]:
    """The arms of more than one."""
    found = {name: held for name, held in arms(tickets).items() if len(held) > 1}
    if not found:
        raise Refusal("no two of these runs differ in their directions alone: train some with --draw 1, 2, ...")
    return found


def capacity(rows: "pd.DataFrame", share: float) -> float:
    """How many subnets there are where what is left of what they gain alone first falls to that share, straight in the
    logarithm of their number; infinite if it does not with any number that was tried, 0 if one alone gains nothing."""
    means = rows.groupby("subnets")[["accuracy", "alone", "start"]].mean().sort_index()
    gained = (means["alone"] - means["start"]).to_numpy()
    left = (means["accuracy"] - means["start"]).to_numpy() / np.where(gained > 0, gained, np.inf)
    below = np.flatnonzero(left < share)
    if not len(below):
        return float("inf")
    first = int(below[0])
    if first == 0:
        return 0.0
    (x0, x1), (y0, y1) = np.log(means.index[first - 1 : first + 1]), left[first - 1 : first + 1]
    return float(np.exp(x0 + (x1 - x0) * (y0 - share) / (y0 - y1)))


def complete(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Those of the seeds that have the most subnets, so that all numbers of them are of the same seeds."""
    most = rows.groupby("seed")["subnets"].transform("max")
    return rows[most == rows["subnets"].max()]


def gains(rows: "pd.DataFrame") -> bool:
    """Whether subnets alone are better than their start by more than twice the standard error over seeds."""
    gained = (rows["alone"] - rows["start"]).groupby(rows["seed"]).mean()
    error = gained.sem() if len(gained) > 1 else 0.0
    return bool(gained.mean() > 2 * error)
