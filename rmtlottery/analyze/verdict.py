"""Which predictions of theory does a pruned net refuse, at which density and in which layer?

Of q, chi and 1 - c of each hidden layer, of the relative variance and the edge of a Jacobian's squared singular values
(from the first pre-activation to the last hidden one, whose layer is given), and of the distance of each layer's spectrum
from a law (Kolmogorov and Smirnov; `ratio` is over that of dense Gaussian matrices of its shape): `ratio` is measured over
predicted, the geometric mean over seeds, `low` to `high` its 95 % interval for the mean of such seeds. Theory speaks of an
ensemble, and a seed is one draw: so it is refused where the net strays from it otherwise than `redraws` random nets do,
which have each layer's kept weights in any order and places. `p` is of a t-test with the scatter of these, for one seed
too; `p_corrected` makes the false discovery rate of all tests of a run 5 % whatever their dependence; `refused`: below
5 %. `chance_ratio` is measured over predicted on the redraws: away from 1, theory is off on the very nets that it is
about (finite width, few weights a row). T0, T2 and "nominal" have that of T3 and "own sizes", whose layers are as large as
the redraws'. Rungs from T4 on are told of each redraw what they are told of the net: they are refused where they miss more
of it than of a random one. Which test inputs there are is chance too, the same for all seeds and in no interval: with few
inputs these rungs may be refused for that. q and chi are of `samples` inputs, 1 - c of the first 24 of these, Jacobians of
the first `inputs`; of training inputs theory knows 2000. `state` is rewound (theta_k under the mask) or trained.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rmtlottery.analyze._judge import LEVEL, corrected, judged
from rmtlottery.analyze._style import mean_density, panel_name
from rmtlottery.analyze._verdict_chance import own_chance, strays
from rmtlottery.analyze._verdict_figure import draw_cells, explain, height, of_chance
from rmtlottery.analyze._verdict_terms import Asked, terms
from rmtlottery.analyze._verdict_words import summary
from rmtlottery.measure.signal import Probe, probe
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
TRAINING, PAIRED = 2000, 24
NONE = 1e-9  # of scatter: what rounding makes of numbers that chance leaves alone
CELL = ["run", "state", "level", "quantity", "source", "layer"]
VERDICT = ["ratio", "low", "high", "p", "p_corrected", "refused", "chance_ratio", "seeds", "skipped"]


def table(ticket: Ticket, *, samples: int = 1000, redraws: int = 4, inputs: int = 4, parts: int = 1) -> "pd.DataFrame":
    """Columns before they are `pooled`: state, quantity, source, layer, off, chance, scatter, redraws, skipped."""
    import pandas as pd

    if redraws < 2 or inputs < 1 or samples < 2:
        raise Refusal(f"redraws = {redraws} or samples = {samples} is not at least 2, or inputs = {inputs} not at least 1")
    seen, rows = probe(ticket, samples), []
    asked = asked_of(seen, inputs, parts)
    for state, weights in ticket.states.items():
        numbers = generator(ticket.seed or 0, "verdict", ticket.level, state)
        rows += [{"state": state} | row for row in of_state(ticket, weights, asked, redraws, numbers)]
    if not rows:
        raise Refusal(f"{ticket} measures nothing that theory and chance have a positive number for")
    return pd.DataFrame(rows)


def asked_of(seen: Probe, inputs: int, parts: int) -> Asked:
    assert seen.train is not None
    told = seen._replace(train=replace(seen.train, x=seen.train.x[:TRAINING], y=seen.train.y[:TRAINING]))
    return Asked(told, told._replace(x=seen.x[:PAIRED]), told._replace(x=seen.x[:inputs]), parts)


def of_state(
    ticket: Ticket, weights: Weights, asked: Asked, redraws: int, numbers: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Of each cell that two redraws or more have too, and in which they differ."""
    found, by_chance = terms(ticket, weights, asked), strays(ticket, weights, asked, redraws, numbers)
    for cell, (measured, predicted) in found.pairs.items():
        drawn = by_chance.get(own_chance(cell), [])
        if len(drawn) > 1 and np.std(drawn) > NONE:
            told = {"chance": np.mean(drawn), "scatter": np.std(drawn, ddof=1), "redraws": len(drawn)}
            yield cell._asdict() | {"off": np.log(measured / predicted)} | told | {"skipped": found.skipped}


def pooled(table: "pd.DataFrame") -> "pd.DataFrame":
    """Columns: run, state, level, density, quantity, source, layer, ratio, low, high, p, p_corrected, refused, chance_ratio,
    seeds, skipped. Seeds of one run and level are judged together.
    """

    facts = table.groupby(CELL, sort=False).agg(density=("density", "mean"), skipped=("skipped", "first")).reset_index()
    held = facts.merge(judged(table, CELL), on=CELL)
    held["p_corrected"] = held.groupby("run")["p"].transform(corrected)
    held["refused"] = held["p_corrected"] < LEVEL
    return held[[*CELL[:3], "density", *CELL[3:], *VERDICT]]


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a run. Every theory of every quantity against density, layer by layer: where it is refused, and how far it is
    off there; right, how far it is off on its own random nets.
    """
    import matplotlib.pyplot as plt

    rows = mean_density(table)
    runs, states = list(rows.groupby("run")), list(dict.fromkeys(rows["state"]))
    size = (4.2 + 4.6 * (len(states) + 1), sum(height(part) for _, part in runs))
    figure, axes = plt.subplots(len(runs), len(states) + 1, figsize=size, squeeze=False, layout="constrained")
    for (run, part), line in zip(runs, axes, strict=True):
        for state, panel in zip(states, line, strict=False):
            draw_cells(part, part[part["state"] == state], panel)
            panel.set_title(f"{panel_name(rows, run, state)}: measured / theory, where refused")
        draw_cells(part, of_chance(part[part["state"] == states[-1]]), line[-1])
        line[-1].set_title(f"{panel_name(rows, run, states[-1])}: random nets / theory")
        for panel in line[1:]:
            panel.tick_params(labelleft=False)
    explain(figure)
    return figure


def headline(table: "pd.DataFrame") -> str:
    """Of each quantity: the theory that is refused first, where and how far off, and the one that stands longest."""
    groups = mean_density(table).groupby(["run", "state"], sort=False)
    found = ". ".join(f"{run}, {state}: {summary(part)}" for (run, state), part in groups)
    tests = " and ".join(map(str, table.groupby("run", sort=False).size()))
    each = " of each run" if table["run"].nunique() > 1 else ""
    return f"{found} (false discovery rate {LEVEL:.0%} over {tests} tests{each}, ratios are measured / theory)."
