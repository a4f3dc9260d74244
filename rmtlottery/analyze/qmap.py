"""Does theory give the length q of the signal in each layer of a pruned net?

Measured: the mean of h^2 over units, pixels and test inputs. T0 takes the nominal sigmas, layer by layer; T1 the
survivors' std times sqrt(dense fan-in), which is the wrong normalisation and the one that density plots without a
correction use; T2 density times the survivors' second moment. T1 and T2 take one sigma_w and one sigma_b for all hidden
layers. In a convolution the length map is averaged over the window that each pixel sees, as the kernel's second moment
weighs it, the padding counting as 0; theory ends where layers are pooled. `state` is rewound (theta_k under the mask) or
trained.
"""

from typing import TYPE_CHECKING

from rmtlottery.analyze._compare import of_each_run, panels, rows, theory_over_measured
from rmtlottery.measure.signal import hidden_lengths, probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def table(ticket: Ticket, *, samples: int = 1000) -> "pd.DataFrame":
    """Columns: state, layer, q, source, input_length (mean |x|^2 / fan_in), inputs (which, how many, preprocessing)."""
    seen = probe(ticket, samples)
    length = seen.x.double().square().mean().item()
    return rows(ticket, seen, hidden_lengths, "q").assign(input_length=length, inputs=seen.words)


def plot(table: "pd.DataFrame") -> "Figure":
    return panels(table, "q", "q, mean square pre-activation", heights=(0.5, 2.2))


def headline(table: "pd.DataFrame") -> str:
    """Where the measured length of the rewound net peaks and ends, and how far each theory is off at the end."""
    return of_each_run(table, summary)


def summary(deep: "pd.DataFrame") -> str:
    measured = deep[deep["source"] == "measured"].groupby("level")["q"].mean()
    density, peak, last = deep.groupby("level")["density"].mean(), measured.idxmax(), measured.index[-1]
    places = {"densest": measured.index[0], "at its peak": peak, "sparsest": last}
    q = ", ".join(f"{measured[level]:.2f} {name} (density {density[level]:.1%})" for name, level in places.items())
    off = theory_over_measured(deep[deep["level"] == last], "q")
    return f"q of the rewound net is {q}; {off}; {deep['seed'].nunique()} seeds"
