"""Does theory give the length q of the signal in each layer of a pruned net?

Measured: the mean of h^2 over units, pixels and test inputs. Every rung of the ladder is a prediction that drops one
assumption of the rung before. T0 takes the nominal sigmas, layer by layer; T2 density times the survivors' second moment,
one for all hidden layers; T3 that of each layer, and its biases; T4 each row's, and the biases themselves; T5 each
weight's square; T5b corrects for few inputs a unit; T6 knows the mean of every activation; T7 and T8 their covariances,
passed on linearly and by a Hermite series; T9 does so class by class; T9b takes each class in `parts`, along the
direction that linear response carries farthest. T1 is no rung but the wrong normalisation: the survivors' std at the
dense fan-in. T3h is the proposal to average over the weights' histogram in place of the Gaussian. iid probes: what each
layer makes of independent signals of the measured length. T0 to T3 follow the test inputs one by one; T4 to T6 are told
the squares and means of training inputs, in groups of like length, T7 to T9 the means and covariances of training inputs
at the first pre-activation: deeper, theory is on its own. Parts have 200 samples or more. In a convolution T0 to T3
average the length map over the window that each pixel sees, the padding counting as 0; theory ends where layers are
pooled. `bar`, over q: two standard deviations of random nets of this width, which for the rungs from T4 on, told of the
weights themselves, is a convention. `state` is rewound (theta_k under the mask) or trained.
"""

from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._compare import draw_gaps, of_each_run, panels, rows, theory_over_measured
from rmtlottery.analyze.rungs.names import MEASURED, PROBES, T9, T9B
from rmtlottery.measure.probes import probed_lengths
from rmtlottery.measure.signal import hidden_lengths, probe
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
SPARSEST = 0.1


def table(ticket: Ticket, *, samples: int = 1000, parts: int = 1) -> "pd.DataFrame":
    """Columns: state, layer, q, source, bar, input_length (mean |x|^2 / fan_in), inputs, skipped (rungs, and why)."""
    seen = probe(ticket, samples)

    def measured(weights: Weights) -> list[dict[str, Any]]:
        lengths = hidden_lengths(seen.network, weights, seen.x)
        probed = probed_lengths(seen.network, weights, seen.x, lengths, seed=ticket.seed or 0)
        found = {MEASURED: lengths, PROBES: probed}
        return [{"source": name, "layer": at, "q": q} for name, qs in found.items() for at, q in enumerate(qs, start=1)]

    length = seen.x.double().square().mean().item()
    return rows(ticket, seen, parts, measured, ["q", "bar"]).assign(input_length=length)


def plot(table: "pd.DataFrame") -> "Figure":
    return panels(table, "q", "q, mean square pre-activation", heights=(0.5, 2.2), draw_right=draw_gaps)


def headline(table: "pd.DataFrame") -> str:
    """Where the measured length of the rewound net peaks and ends, and how far each theory is off there."""
    return f"{of_each_run(table, summary)}{closeness(table)}"


def closeness(table: "pd.DataFrame") -> str:
    """The farthest that T9 is off in any layer after the first, of any seed, down to 10 % density."""
    held = table[(table["layer"] > 1) & (table["density"] >= SPARSEST)]
    cells = held.pivot_table("q", ["state", "run", "seed", "level", "layer"], "source")
    best = [source for source in (T9, T9B) if source in cells]
    if not best:
        return ""
    off = (cells[best].div(cells[MEASURED], axis=0) - 1).abs().groupby("state").max()
    words = "; ".join(
        f"{state} {', '.join(f'{name.split()[0]} {far:.1%}' for name, far in row.items())}" for state, row in off.iterrows()
    )
    return f" Down to {SPARSEST:.0%} density theory is off by at most, in any layer after the first of any seed: {words}."


def summary(deep: "pd.DataFrame") -> str:
    measured = deep[deep["source"] == MEASURED].groupby("level")["q"].mean()
    density, peak, last = deep.groupby("level")["density"].mean(), measured.idxmax(), measured.index[-1]
    places = {"densest": measured.index[0], "at its peak": peak, "sparsest": last}
    q = ", ".join(f"{measured[level]:.2f} {name} (density {density[level]:.1%})" for name, level in places.items())
    at_peak, at_end = (theory_over_measured(deep[deep["level"] == level], "q") for level in (peak, last))
    number = deep["seed"].nunique()
    seeds = "one seed" if number == 1 else f"{number} seeds"
    return f"q of the rewound net is {q}; at its peak {at_peak}; sparsest {at_end}; {seeds}"
